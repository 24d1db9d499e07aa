"""Reading the runbook: stories, each with the world it starts from and the blocks that are run in it, in order.

What the tests need to know stands in comments that a reader does not see:

    <!-- story: world=updated on=sqlite prepare=bad_links -->   begins a story; it lasts until the next one
    <!-- run: exit=1 on=postgresql prepare=hang RUN=2 -->       is about the block below it, in which RUN stands for 2

An `output` block is what the block before it prints.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RUN = ("bash", "python", "sql", "cron")
LANGUAGES = (*RUN, "output")
ENGINES = ("sqlite", "postgresql")

_PART = re.compile(
    r"^(?P<heading>##+) (?P<title>[^\n]*)$"
    r"|^<!-- (?P<about>story|run):(?P<words>.*?)-->$"
    r"|^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.M | re.S,
)


@dataclass
class Block:
    """One fenced block: its language and text, what is to be prepared, and what it should print and exit with."""

    language: str
    text: str
    line: int
    on: tuple[str, ...] = ENGINES
    prepare: str = ""
    # What its words in capitals stand for.
    stands_for: dict[str, str] = field(default_factory=dict)
    # None: whatever it is.
    exit: int | None = 0
    output: str | None = None


@dataclass
class Story:
    """Blocks that follow each other in one world."""

    title: str
    world: str
    on: tuple[str, ...] = ENGINES
    prepare: str = ""
    blocks: list[Block] = field(default_factory=list)

    def blocks_on(self, engine: str) -> list[Block]:
        """Return the blocks that are for this engine."""
        return [block for block in self.blocks if engine in block.on]


def read_stories(document: Path) -> list[Story]:
    """Return the stories of a document; raises ValueError for a block in none, or in a language nobody runs."""
    text = document.read_text(encoding="utf-8")
    stories: list[Story] = []
    title, about, last = "", {}, None
    for part in _PART.finditer(text):
        line = text.count("\n", 0, part.start()) + 1
        if part["title"]:
            title, last = part["title"], None
        elif part["about"]:
            about, last = _words(part["words"]), None
            if part["about"] == "story":
                stories.append(Story(title, **about))
                about = {}
        elif part["language"] == "output":
            if last is None:
                raise ValueError(f"line {line}: this output follows no block")
            last.output, last = part["text"], None
        elif part["language"] not in RUN or not stories:
            raise ValueError(f"line {line}: a block in {part['language']!r}, or before the first story: nobody runs it")
        else:
            last = Block(part["language"], part["text"], line, **about)
            stories[-1].blocks.append(last)
            about = {}
    return stories


def _words(text: str) -> dict[str, Any]:
    words = dict(word.split("=", 1) for word in text.split())
    capitals = {name: words.pop(name) for name in list(words) if name.isupper()}
    if "on" in words:
        words["on"] = tuple(words["on"].split(","))
    if "exit" in words:
        words["exit"] = None if words["exit"] == "any" else int(words["exit"])
    return {**words, "stands_for": capitals} if capitals else words
