"""Two texts side by side with the words marked in which they differ."""

import re
from difflib import SequenceMatcher
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

LONG = 40
# Beyond this, comparing costs more than reading.
LONGEST = 4000
# Texts with less in common are two texts, not one with changes.
ALIKE = 0.3


def marked_texts(old: Any, new: Any) -> tuple[SafeString, SafeString] | None:
    """Return both texts with what differs marked; None where they are short, no texts, or have little in common."""
    if not (isinstance(old, str) and isinstance(new, str) and old and new):
        return None
    if not LONG < max(len(old), len(new)) <= LONGEST:
        return None
    words: list[list[str]] = [re.findall(r"\w+|\W", text) for text in (old, new)]
    matcher = SequenceMatcher(None, words[0], words[1], autojunk=False)
    if matcher.ratio() < ALIKE:
        return None
    steps = matcher.get_opcodes()
    before = format_html_join("", "{}", ((_part(words[0][a:b], tag),) for tag, a, b, _, _ in steps))
    after = format_html_join("", "{}", ((_part(words[1][a:b], tag),) for tag, _, _, a, b in steps))
    return before, after


def _part(words: list[str], tag: str) -> str:
    text = "".join(words)
    return text if tag == "equal" or not text else format_html("<mark>{}</mark>", text)
