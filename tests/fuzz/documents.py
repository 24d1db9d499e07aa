"""Manifests and backups of objects that somebody altered: text that is damaged, and values of another kind, signed."""

import json
import random
from typing import Any

from tests.fuzz.values import HUGE, damaged, nasty

_OTHERS = [
    None,
    True,
    -1,
    1.5,
    int(HUGE),
    "",
    "x",
    [],
    {},
    [None],
    {"a": None},
    [[[]]],
    "2026-01-01",
    "2026-01-01T00:00:00+00:00",
    "\x00",
    "\ud800",
]


def altered(draw: random.Random, text: str) -> bytes:
    """Return the text of a document, damaged, or with another value somewhere; half of these are signed anew."""
    from apps.backups.catalogue.signing import sign
    from apps.backups.objects.document import HASH, hash_of

    if draw.random() < 0.3:
        return damaged(draw, text.encode())
    if draw.random() < 0.05:
        return draw.choice([b"", b"null", b"[]", b"1", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b'"x"'])
    document = json.loads(text)
    for _ in range(draw.randrange(1, 3)):
        _change(draw, document)
    if draw.random() < 0.7:
        try:
            if "fields" in document or (HASH in document and "key" in document):
                document[HASH] = hash_of(document)
            document = sign(document)
        except (TypeError, ValueError):
            pass
    return json.dumps(document).encode("utf-8", "surrogatepass")


def _change(draw: random.Random, document: Any) -> None:
    """Change, remove or add a value somewhere in a document."""
    places: list[tuple[Any, Any]] = []
    _walk(document, places)
    if not places:
        return
    inside, key = draw.choice(places)
    if draw.random() < 0.15:
        del inside[key]
    elif draw.random() < 0.1 and isinstance(inside, dict):
        inside[nasty(draw)] = inside.get(key)
    else:
        inside[key] = draw.choice([*_OTHERS, nasty(draw)])


def _walk(value: Any, places: list[tuple[Any, Any]]) -> None:
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        places.append((value, key))
        _walk(value[key], places)
