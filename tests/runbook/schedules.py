"""Crontabs and systemd units: are they written as they must be, and which commands do they run?"""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def commands_of_crontab(text: str) -> list[str]:
    """Return the commands of a crontab; raises AssertionError where cron would not understand it."""
    commands = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#") or re.match(r"[A-Z_]+=", line):
            continue
        *fields, command = line.split(None, 5)
        assert len(fields) == 5, line
        for each, (lowest, highest) in zip(fields, _RANGES, strict=True):
            for number in re.findall(r"(?<!/)\b\d+\b", each):
                assert lowest <= int(number) <= highest, line
            assert re.fullmatch(r"[\d*/,-]+", each), line
        assert "%" not in command, f"cron ends a line at a %: {line}"
        commands.append(command)
    return commands


def check_unit(text: str, folder: Path) -> list[str]:
    """Return the commands that a unit of systemd starts; its first line says what the file is called."""
    name = text.splitlines()[0].removeprefix("# ").rpartition("/")[2]
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str
    parser.read_string(text)
    assert parser.has_section("Unit"), name
    units = folder / "units"
    units.mkdir(exist_ok=True)
    (units / name).write_text(text.replace("/usr/local/bin/uv", "/bin/true"))
    if shutil.which("systemd-analyze"):
        _verify(units / name, parser)
    return [line.replace("/usr/local/bin/uv", "uv") for line in re.findall(r"^Exec\w+=(.*)$", text, re.M)]


def _verify(unit: Path, parser: configparser.ConfigParser) -> None:
    if moment := parser.get("Timer", "OnCalendar", fallback=""):
        subprocess.run(["systemd-analyze", "calendar", moment], check=True, capture_output=True)
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if unit.name in line]
    assert not complaints, complaints
