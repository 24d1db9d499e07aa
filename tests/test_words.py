"""What people read: plain words, one word for one thing, and no sentence glued together from a number and an ending."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines()
# What no page, message or help says, and what it says instead.
INSTEAD = {
    r"successful(ly)?": "what was done",
    r"batch(es)?": "changeset",
    r"roll(ed)? ?back": "revert, undo",
    r"stopped without a word|gave no word": "stopped unexpectedly, said nothing",
    r"against today's": "now and after the import",
    r"brought back\?": "verified",
    r"plan to overwrite": "overwrite instead",
    r"whoever administers": "the administrator",
    r"not believed": "ignored",
    r"made anew|planned anew|read anew": "again",
    r"hangs? on\b": "depends on",
    r"fits?\.(?= |$)": "matches",
    r"all the same": "anyway",
    r"on balance": "no net change",
    r"take (this|the) \w+ back": "undo, withdraw",
    r"stands? here|will stand": "appears",
    r"gave way": "came first",
    r"as is usual": "default",
}
# The command keeps its name; messages speak of the options of commands.
SPARED = re.compile(r"rollback_airports|[\w./-]+/rollback|net of all|--on-balance")
# "{{ n }} row{% if n != 1 %}s", "row(s)", and f"{n} row{'s' if n != 1 else ''}".
GLUED = re.compile(r"\w\{% ?if [^%]*%\}(e?s|ies)\{%|\w\((e?s|ies)\)(?![\w|])|\w\{'e?s' if")


def templates() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each template, without comments and tags of HTML."""
    for name in TRACKED:
        if name.startswith("templates/"):
            text = (ROOT / name).read_text(encoding="utf-8")
            text = re.sub(r"\{% comment %\}.*?\{% endcomment %\}|\{#.*?#\}", "", text, flags=re.DOTALL)
            yield name, re.sub(r"\s+", " ", text)


def strings() -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each string of the code that may be read by people: no docstring, no SQL."""
    for name in TRACKED:
        if name.endswith(".py") and name.startswith(("apps/", "travelmathlite/")) and "/migrations/" not in name:
            tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
            alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                if isinstance(node, ast.JoinedStr):
                    yield f"{name}:{node.lineno}", ast.unparse(node)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
                    yield f"{name}:{node.lineno}", node.value


def sentences() -> list[tuple[str, str]]:
    """Return what has several words."""
    return [(place, text) for place, text in (*templates(), *strings()) if re.search(r"[a-z] [a-z]", text)]


def test_no_page_or_message_speaks_in_riddles_or_in_words_of_its_own():
    found = [
        f"{place}: “{match.group()}”, say: {better}"
        for place, text in sentences()
        for words, better in INSTEAD.items()
        for match in re.finditer(rf"(?i)\b(?:{words})", SPARED.sub("", text))
    ]

    assert found == []


def test_no_plural_is_glued_to_a_word():
    assert [f"{place}: {match.group()}" for place, text in sentences() for match in GLUED.finditer(text)] == []
