"""Commands end in one sentence on stderr, whatever the database does."""

import argparse
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from django.core.management.base import BaseCommand, CommandError, OutputWrapper

from apps.changesets.errors import ChangesetError
from apps.changesets.identity import place_of
from apps.changesets.processes.failures import FAILURES, sentence_with_words
from apps.changesets.text import whole_number

# No path is longer, and no reason needs to be.
_LONGEST = 4096
# More than this no database takes for a number of rows, or for a key.
_LARGEST = 2**63 - 1


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """Within, a refusal, a failure of the database and a question to nobody become a CommandError of one sentence."""
    try:
        yield
    except ChangesetError as error:
        raise CommandError(str(error)) from error
    except EOFError as error:
        raise CommandError("This needs an answer: add --noinput to go ahead.") from error
    except FAILURES as error:
        raise CommandError(sentence_with_words(error)) from error


class InOneSentence(BaseCommand):
    """Base of commands, Django's own that ours extend included: what goes wrong is one sentence.

    System checks are about the code, and load every page: `check`, `migrate`, servers and workers run them. One that
    writes says first which database it acts on: it is easily another one than the person had in mind.
    """

    requires_system_checks: list[str] | tuple[str, ...] | Literal["__all__"] = ()

    def writes(self, options: dict[str, Any]) -> bool:
        """Whether it writes or restores, or tells of what only one database has."""
        return False

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command."""
        with in_one_sentence():
            _require_text([*args, *options.values()])
            if self.writes(options) and not options.get("json") and options.get("verbosity", 1):
                out = OutputWrapper(options["stdout"]) if options.get("stdout") else self.stdout
                out.write(f"acting on {place_of(options.get('database') or 'default')}")
            return super().execute(*args, **options)


def _require_text(given: Iterable[Any]) -> None:
    """Raise CommandError where an argument has a NUL, which no file, address or text has, or is without end."""
    for value in given:
        if isinstance(value, list | tuple):
            _require_text(value)
        elif isinstance(value, str) and "\x00" in value:
            raise CommandError(f"The argument {value[:60]!r} has a NUL in it, which no text has: write it again.")
        elif isinstance(value, str) and len(value) > _LONGEST:
            raise CommandError(f"The argument {value[:60]!r}... is longer than {_LONGEST:,} characters: shorten it.")


class Writing(InOneSentence):
    """Base of commands that write."""

    def writes(self, options: dict[str, Any]) -> bool:
        return True


def whole(text: str) -> int:
    """Return the whole number that an argument says, from 0 on; for `type=` of arguments."""
    number = whole_number(text, digits=19)
    if number is None or number > _LARGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number that can be meant here: use a whole one from 0 on")
    return number
