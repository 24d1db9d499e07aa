"""Opening a changeset: everything written inside belongs to it, or nothing was written."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from apps.changesets.models import Changeset


@dataclass(frozen=True)
class Source:
    """The file that a changeset came from: its name, SHA-256 of its bytes (hex), and size in bytes."""

    name: str
    sha256: str = ""
    size: int | None = None


@contextmanager
def changeset(
    *, kind: str, actor: Any, reason: str = "", source: Source | None = None, using: str = "default"
) -> Iterator[Changeset]:
    raise NotImplementedError
    yield
