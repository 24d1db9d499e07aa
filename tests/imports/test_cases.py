"""Each case, made up for a fault that was met in real files, has a test of its own: its number is in the name."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.once
TESTS = Path(__file__).parent.parent
# The files of 13, 14 and 15 are made in their tests: all files of the tree are UTF-8.
ENCODINGS = {"13", "14", "15"}


def test_every_case_has_a_test():
    cases = {path.name[:2] for path in TESTS.glob("imports/cases/[0-9]*")} | ENCODINGS
    files = [*TESTS.glob("imports/test_cases_*.py"), TESTS / "admin/test_import_reading.py"]
    names = [name for path in files for name in re.findall(r"^def test_((?:\d\d_)+)", path.read_text(), re.MULTILINE)]

    assert {number for name in names for number in name.split("_") if number} == cases
    assert cases == {f"{number:02}" for number in range(1, 34)}
