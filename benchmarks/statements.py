"""Statements and their plans as a person reads them: foldings of text by name, and nothing that is too long."""

import re
from collections.abc import Iterable

LONGEST_STATEMENT, LONGEST_LINE, MOST_LINES = 400, 160, 25
# What `folded_sql` of the console makes of a column, and what PostgreSQL's plans make of that; none has a CASE within.
_FOLDING = re.compile(
    r"CASE\s+WHEN\s+\(?(?:octet_length\(+|length\(CAST\()(?P<column>\"?\w+\"?(?:\.\"?\w+\"?)*).*?\bEND\b"
    r"(?:\s+COLLATE\s+\"?\w+\"?)?",
    re.DOTALL,
)
_IN_BRACKETS = re.compile(r"\((fold\(\w+\))\)")


def readable(text: str) -> str:
    """Return a statement, or a line of a plan, with `fold(name)` for what folds a column of text."""
    folded = _FOLDING.sub(lambda found: f"fold({found['column'].split('.')[-1].strip(chr(34))})", text)
    return _IN_BRACKETS.sub(r"\1", folded)


def statement(sql: str) -> str:
    """Return a statement in one line that is not too long."""
    return _cut(" ".join(readable(sql).split()).replace("`", ""), LONGEST_STATEMENT)


def plan(lines: Iterable[str]) -> list[str]:
    """Return the first lines of a plan, each not too long, and how many more there are."""
    # An expression may have lines of its own.
    whole = readable("\n".join(lines)).splitlines()
    more = [f"... and {len(whole) - MOST_LINES} more lines"] if len(whole) > MOST_LINES else []
    return [*(_cut(line.rstrip(), LONGEST_LINE) for line in whole[:MOST_LINES]), *more]


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 4]} ..."
