"""`manage.py test` runs the pytest suite: an app, part of it, or everything."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

_QUIET = {0: ["--quiet"], 2: ["--verbose"], 3: ["-vv"]}


class PytestRunner:
    """Runs pytest for the labels and options of Django's `test`."""

    def __init__(self, **options: Any) -> None:
        self.options = options

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """Add the options of Django's own runner that pytest has as well."""
        parser.add_argument(
            "-k", action="append", dest="patterns", default=[], metavar="NAME",
            help="only tests whose names match; several are joined by or",
        )  # fmt: skip
        parser.add_argument("--keepdb", action="store_true", help="keep the test database, and use it next time")
        parser.add_argument("--pdb", action="store_true", help="start the debugger where a test fails")
        parser.add_argument("--durations", type=int, metavar="N", help="show the N slowest tests")

    def run_tests(self, test_labels: list[str], **kwargs: Any) -> int:
        """Run the tests of these labels, all of them without any, and return pytest's exit status."""
        # pytest is installed for development only.
        import pytest

        return int(pytest.main(self.arguments(test_labels)))

    def arguments(self, test_labels: list[str]) -> list[str]:
        """Return the arguments for pytest."""
        folders = list(dict.fromkeys(folder_of_tests(label) for label in test_labels))
        arguments = [f"--rootdir={settings.BASE_DIR}", *(folders or [str(_tests())])]
        arguments += _QUIET.get(self.options.get("verbosity", 1), [])
        if patterns := self.options.get("patterns"):
            arguments += ["-k", " or ".join(patterns)]
        if (durations := self.options.get("durations")) is not None:
            arguments.append(f"--durations={durations}")
        flags = {"failfast": "--exitfirst", "keepdb": "--reuse-db", "pdb": "--pdb"}
        return arguments + [flag for option, flag in flags.items() if self.options.get(option)]


def folder_of_tests(label: str) -> str:
    """Return where the tests of a label are: those of `apps.airports` are in tests/airports.

    A file or folder of tests, as a path or with dots, is a label too. Raises CommandError for anything else.
    """
    path, _, name = label.partition("::")
    for target in (_of_app(path), Path(path), settings.BASE_DIR / path, _dotted(path)):
        if target is not None and target.exists() and target.resolve().is_relative_to(_tests()):
            return f"{target.resolve()}::{name}" if name else str(target.resolve())
    packages = (file for file in _tests().glob("*/__init__.py") if _is_app(file))
    apps = ", ".join(sorted(f"apps.{file.parent.name}" for file in packages))
    raise CommandError(f"There are no tests called {label!r}: name an app ({apps}), or a file or folder in tests/.")


def _tests() -> Path:
    return settings.BASE_DIR / "tests"


def _of_app(label: str) -> Path | None:
    """Return the folder of the tests of an app, or of one of its modules."""
    package, _, module = label.partition(".")
    return _tests() / module.partition(".")[0] if package == "apps" and module else None


def _dotted(label: str) -> Path | None:
    path = settings.BASE_DIR.joinpath(*label.split("."))
    return path if path.is_dir() else path.with_suffix(".py")


def _is_app(tests: Path) -> bool:
    return (settings.BASE_DIR / "apps" / tests.parent.name).is_dir()
