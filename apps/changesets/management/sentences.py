"""Commands end in one sentence on stderr, whatever the database does."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from django.core.management.base import BaseCommand, CommandError

from apps.changesets.errors import ChangesetError
from apps.changesets.failures import FAILURES, sentence_with_words

# More than this no database takes for a number of rows, or for a key.
_LARGEST = 2**63 - 1


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """Within, a refusal of the console and a failure of the database become a CommandError of one sentence."""
    try:
        yield
    except ChangesetError as error:
        raise CommandError(str(error)) from error
    except FAILURES as error:
        raise CommandError(sentence_with_words(error)) from error


class InOneSentence(BaseCommand):
    """Base of commands, Django's own that ours extend included: what goes wrong is one sentence.

    System checks are about the code, and load every page: `check`, `migrate`, servers and workers run them.
    """

    requires_system_checks: list[str] | tuple[str, ...] | Literal["__all__"] = ()

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command."""
        with in_one_sentence():
            return super().execute(*args, **options)


def whole(text: str) -> int:
    """Return the whole number that an argument says, from 0 on; for `type=` of arguments."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= _LARGEST):
        raise argparse.ArgumentTypeError(f"{text!r} is no number that can be meant here: use a whole one from 0 on")
    return int(text)
