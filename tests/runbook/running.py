"""Running the blocks of a story: commands and shell in this process, everything else in one of its own."""

import ast
import contextlib
import io
import itertools
import os
import re
import shlex
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management import get_commands, load_command_class
from django.core.management.commands.shell import Command as Shell
from django.db import connection

from tests.runbook.document import Block
from tests.runbook.worlds import url_of

MANAGE = "uv run python manage.py "
_SHELL_SIGNS = re.compile(r"[|<>;&$`\\*]")
# A command that goes on in the next line.
_MANY_LINES = re.compile(r"<<|[\\|&]$|^\s+\S|-c \"$", re.M)
# How a backup is called; in the document such a name stands for the newest of its kind.
_BACKUP = re.compile(r"\b\d{8}-\d{6}-([a-z-]+[a-z])(?:-\d\d)?\b")


class Runner:
    """Runs blocks in the folder and the database of a story."""

    def __init__(self, folder: Path, database: dict[str, Any]) -> None:
        self.folder, self.database = folder, database
        self.session: dict[str, Any] = {}
        self.processes: list[subprocess.Popen] = []
        self.at_the_end: list[Callable[[], None]] = []
        # What the document calls so is something else in this run.
        # The network, and half a minute for tests that run anyway.
        self.stands_for = {
            "--url": "--file newer.csv",
            # The newest of that kind, as any name of a backup.
            "BACKUP": "20261124-101500-full",
            "test apps.airports apps.base": "test apps.airports apps.base -k distance",
        }
        self.in_process = True
        if connection.vendor == "postgresql":
            self.stands_for |= {"consoledb": database["NAME"], "consoledb_new": f"{database['NAME']}_new"}

    def run(self, block: Block) -> tuple[int, str]:
        """Run a block, and return its exit status and what it printed."""
        self.stands_for |= block.stands_for
        text = self.meant(block.text)
        return getattr(self, f"_run_{block.language}")(text)

    def meant(self, text: str) -> str:
        """Return a text of the document with what its words stand for in this run."""
        for name, real in self.stands_for.items():
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", real, text)
        return text

    def _run_bash(self, text: str) -> tuple[int, str]:
        """Run lines until one fails: each command of manage.py here, what else there is in a shell."""
        if not self.in_process or _MANY_LINES.search(text) or "export " in text:
            return self._in_bash(text)
        code, said = 0, ""
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        for bare, group in itertools.groupby(lines, _is_bare):
            for line in group if bare else ["\n".join(group)]:
                code, more = self.manage(line.removeprefix(MANAGE)) if bare else self._in_bash(line)
                said += more
                if code:
                    return code, said
        return code, said

    def manage(self, line: str) -> tuple[int, str]:
        """Run one command of manage.py as a terminal would, in this process."""
        name, *arguments = shlex.split(_BACKUP.sub(self._newest_backup, line))
        said, code = io.StringIO(), 0
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), contextlib.chdir(self.folder):
            try:
                load_command_class(get_commands()[name], name).run_from_argv(["manage.py", name, *arguments])
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
            except Exception as error:
                # Python would show where, too.
                code, _ = 1, said.write("".join(traceback.format_exception_only(error)))
        return code, said.getvalue()

    def environment(self) -> dict[str, str]:
        """Return the environment of a process that works in this story."""
        return {
            **os.environ,
            "DATABASE_URL": url_of(self.database),
            "BACKUP_DIR": str(self.folder / "backups"),
            "RUNBOOK_FOLDER": str(self.folder),
            "PYTHONPATH": str(self.folder),
            # For the programs of PostgreSQL, as somebody who works with one server sets them.
            **{f"PG{word}": str(self.database[word]) for word in ("HOST", "PORT", "USER", "PASSWORD")},
            "DJANGO_SETTINGS_MODULE": "tests.runbook.settings",
        }

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start a command of manage.py in a process of its own."""
        connection.close()
        process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process

    def close(self) -> None:
        """End what was started."""
        for end in self.at_the_end:
            end()
        for process in self.processes:
            process.kill()
            process.wait()

    def _in_bash(self, text: str) -> tuple[int, str]:
        connection.close()
        text = _BACKUP.sub(self._newest_backup, text)
        # `uv run python` is this Python: what uv does first takes longer than the command.
        preamble = (
            "set -o pipefail\n"
            f'python() {{ {shlex.quote(sys.executable)} "$@"; }}\n'
            'uv() { while [ "$1" != python ]; do shift; done; "$@"; }\n'
            "export -f python uv\n"
        )
        done = subprocess.run(
            ["bash", "-e", "-c", preamble + text],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout

    def _run_python(self, text: str) -> tuple[int, str]:
        """Run statements as if they were typed into `manage.py shell`: what has a value is shown."""
        if not self.session:
            self.session.update(Shell().get_namespace(), __name__="shell")
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.chdir(self.folder):
            for statement in ast.parse(text).body:
                try:
                    exec(compile(ast.Interactive([statement]), "<shell>", "single"), self.session)
                except Exception as error:
                    return 1, said.getvalue() + "".join(traceback.format_exception_only(error))
        return 0, said.getvalue()

    def _run_sql(self, text: str) -> tuple[int, str]:
        with connection.cursor() as cursor:
            cursor.execute(text)
            rows = cursor.fetchall() if cursor.description else []
        return 0, "".join(" | ".join(map(str, row)) + "\n" for row in rows)

    def _run_cron(self, text: str) -> tuple[int, str]:
        from tests.runbook.schedules import commands_of_crontab

        said = ""
        for command in commands_of_crontab(text):
            # `console` is manage.py with the environment of the installation (deploy/console).
            code, more = self._run_bash(re.sub(r"^console ", MANAGE, command))
            said += more
            if code:
                return code, f"{command}\n{said}"
        return 0, said

    def _newest_backup(self, found: re.Match) -> str:
        manifests = sorted(self.folder.glob(f"backups/????????-??????-{found[1]}*.json"))
        return manifests[-1].stem if manifests else found[0]


def _is_bare(line: str) -> bool:
    """Return whether a line is one command of manage.py and needs no shell."""
    return (
        line.startswith(MANAGE) and not line.startswith(f"{MANAGE}test ") and not _SHELL_SIGNS.search(_unquoted(line))
    )


def _unquoted(line: str) -> str:
    """Return a line without what stands in quotes."""
    return re.sub(r"'[^']*'|\"[^\"$`]*\"", "", line)


def fits(promised: str, said: str) -> bool:
    """Return whether what was said is what the document promises.

    `…` stands for anything within its line, or for lines if it is alone; names of backups, dates and times are
    compared by their shape, and spaces by their being there.
    """
    return re.fullmatch("".join(_pattern(line) for line in promised.splitlines()), _plain(said)) is not None


def _plain(said: str) -> str:
    lines = [" ".join(line.split()) for line in said.splitlines()]
    # Which database it is, the page says once.
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("acting on "))


def _pattern(line: str) -> str:
    line = " ".join(line.split())
    if not line:
        return ""
    if line == "…":
        return r"(?:.*\n)*?"
    pattern = re.escape(line).replace("…", ".*?").replace(r"\ ", " ").replace(r"\-", "-").replace(r"\:", ":")
    pattern = _BACKUP.sub(lambda found: rf"\d{{8}}-\d{{6}}-{found[1]}(?:-\d\d)?", pattern)
    pattern = re.sub(r"\b\d{4}-\d\d-\d\d\b", r"\\d{4}-\\d\\d-\\d\\d", pattern)
    pattern = re.sub(r"(?<!\d)\d\d:\d\d(:\d\d)?(?!\d)", lambda f: r"\d\d:\d\d" + (r":\d\d" if f[1] else ""), pattern)
    return pattern + r"\n"
