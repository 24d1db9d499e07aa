"""Commands of manage.py without the second that each takes to start: a process with the console loaded forks for each.

Each command is a process of its own all the same, and gets from the one before it nothing but the database.
"""

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Self

ROOT = Path(__file__).resolve().parent.parent
LONGEST_SECONDS = 300
BUNDLED = "TEST_CONSOLE_BUNDLED"


class Done(NamedTuple):
    """How a command ended: its exit status, or minus the signal that killed it, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


class Console:
    """Runs commands of manage.py with an environment of their own; use it in a `with` statement.

    `bundled` is a file that stands for the snapshot which comes with the project.
    """

    def __init__(self, environment: dict[str, str], *, bundled: Path | None = None) -> None:
        self.environment = environment | ({BUNDLED: str(bundled)} if bundled else {})

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.console"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._server = subprocess.Popen(command, cwd=ROOT, env=self.environment, text=True, **pipes)
        self._folder = tempfile.TemporaryDirectory()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.communicate()
        self._folder.cleanup()

    def run(self, *arguments: str) -> Done:
        """Run `manage.py` with the arguments to its end."""
        files = [Path(self._folder.name) / name for name in ("stdout", "stderr")]
        self._server.stdin.write(json.dumps([arguments, *map(str, files)]) + "\n")
        self._server.stdin.flush()
        code = int(self._server.stdout.readline())
        return Done(code, *(file.read_text(encoding="utf-8") for file in files))

    def manage(self, *arguments: str) -> str:
        """Run `manage.py` with arguments that it takes, and return what it wrote to stdout."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-2000:]
        return done.stdout


def serve() -> None:
    """Run the command on each line of stdin in a fork, and answer each with how it ended."""
    import django
    from django.conf import settings

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "travelmathlite.settings")
    django.setup()
    import_module(settings.ROOT_URLCONF)
    if BUNDLED in os.environ:
        import_module("apps.airports.management.importing").BUNDLED = Path(os.environ[BUNDLED])
    # What is loaded is no garbage. A fork that looks through it when it ends copies all of it, which takes 0.3 seconds.
    gc.freeze()
    for line in sys.stdin:
        arguments, *outputs = json.loads(line)
        if child := os.fork():
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201
        else:
            _become(arguments, outputs)


def _become(arguments: list[str], outputs: list[str]) -> None:
    """Be `manage.py` with the arguments, in a fork."""
    import manage

    signal.alarm(LONGEST_SECONDS)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, path in enumerate(outputs, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.argv = ["manage.py", *arguments]
    manage.main()
    sys.exit(0)


if __name__ == "__main__":
    serve()
