"""Crontabs: are they written as they must be, and which commands do they run?"""

import re

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def commands_of_crontab(text: str) -> list[str]:
    """Return the commands of a crontab; raises AssertionError where cron would not understand it."""
    commands = []
    assert re.search(r"^PATH=(\S*:)?/usr/local/bin(:|$)", text, re.M), "cron finds `console` nowhere"
    for line in text.splitlines():
        if not line.strip() or line.startswith("#") or re.match(r"[A-Z_]+=", line):
            continue
        *fields, command = line.split(None, 5)
        assert len(fields) == 5, line
        for each, (lowest, highest) in zip(fields, _RANGES, strict=True):
            for number in re.findall(r"(?<!/)\b\d+\b", each):
                assert lowest <= int(number) <= highest, line
            assert re.fullmatch(r"[\d*/,-]+", each), line
        assert command.startswith("console "), f"nobody sets its environment: {line}"
        assert "%" not in command, f"cron ends a line at a %: {line}"
        commands.append(command)
    return commands
