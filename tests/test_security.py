"""SECURITY.md: each threat names the tests that hold the line, and each of them is there."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.once
ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
THREATS = [line for line in TEXT.partition("## Threats")[2].splitlines() if line.startswith("| ")][1:]


@pytest.mark.parametrize("line", THREATS)
def test_each_threat_names_tests_that_are_there(line: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", line)

    assert named
    assert [
        test
        for path, test in named
        if not (ROOT / path).is_file() or f"def {test}(" not in (ROOT / path).read_text(encoding="utf-8")
    ] == []


def test_there_are_threats() -> None:
    assert len(THREATS) > 15
