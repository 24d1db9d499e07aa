"""Every address of the console, by every method, as everybody: nobody writes or sees what they may not.

A part of it that is drawn by a fixed seed; `uv run python -m tests.matrix` asks all of it and prints the figures.
"""

import json
import logging
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from apps.backups.errors import BackupFailure
from apps.backups.pages import acts, doing
from tests.admin.conftest import planned, quick_passwords  # noqa: F401 - fixtures
from tests.matrix.cells import METHODS, Matrix
from tests.matrix.world import ROLES, make_addresses, make_people

# What the command asks for; the suite asks for nothing.
ASKED = json.loads(os.environ.get("MATRIX", "null"))
SEED = 1
# What is wrong, by how its words begin; all else is a write.
KINDS = {"shows": "leaks", "status": "500s"}
WRITES = "unauthorised writes"
# So many people, and so many addresses of each, are drawn for the suite.
PEOPLE, ADDRESSES = 8, 25


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Write no log of all the refusals, and begin no work of a process of its own."""

    def refuse(*_args: object, **_named: object) -> None:
        raise BackupFailure("No work is begun in this test.")

    for module in (acts, doing):
        monkeypatch.setattr(module, "begin", refuse)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def matrix(db: None, planned: list) -> Matrix:  # noqa: F811 - a fixture that is imported
    browsers = make_people()
    return Matrix(browsers, make_addresses())


def cells(matrix: Matrix) -> Iterator[tuple[str, str, str]]:
    """Yield page, method and role of the cells that are asked."""
    drawn, every = random.Random(SEED), matrix.addresses
    if ASKED is None:
        for who in drawn.sample(ROLES, PEOPLE):
            pages = drawn.sample(list(every), ADDRESSES)
            yield from ((page, method, who) for page in pages for method in METHODS)
        return
    pages = [page for page, address in every.items() if ASKED["address"] in f"{page} {address}"]
    people, methods = ASKED["role"] or ROLES, ASKED["method"] or METHODS
    yield from ((page, method, who) for who in people for page in pages for method in methods)


def test_nobody_writes_or_sees_what_they_may_not(matrix: Matrix) -> None:
    numbers, wrong = Counter[str](), []

    for page, method, who in cells(matrix):
        cell = matrix.ask(matrix.addresses[page], method, who)
        numbers["cells"] += 1
        numbers["writing cells"] += bool(cell.written)
        for words in cell.complaints:
            numbers[next((kind for start, kind in KINDS.items() if words.startswith(start)), WRITES)] += 1
            wrong.append(f"{who}: {method.upper()} {page} ({matrix.addresses[page]}) {words}")

    figures = ", ".join(f"{numbers[kind]:,} {kind}" for kind in ("cells", "writing cells", WRITES, *KINDS.values()))
    sys.stdout.write(f"\n{len(matrix.addresses)} addresses x {len(METHODS)} methods x {len(ROLES)} roles\n{figures}\n")
    assert not wrong, "\n".join(wrong)
