"""No spreadsheet runs what we give it, and what we guard comes back as it was."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.changesets.text import guard, unguard

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
NASTY = st.text(alphabet=st.sampled_from(f"'{SIGNS};\t\r\n a1\u3000\ufeff"), max_size=8)


@given(st.text() | NASTY)
@example("'=1+1")
@example("''")
@example("")
@example(";'\t=1")
def test_every_text_comes_back_as_it_was(text):
    assert unguard(guard(text)) == text


@given(st.text() | NASTY)
def test_no_cell_begins_as_a_formula_whatever_separates_the_cells(text):
    for cell in re.split("[;\t\r\n]", guard(text)):
        assert not cell.strip().lstrip("\ufeff").startswith(tuple(SIGNS))


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        *(
            (text, f"'{text}")
            for text in ("=1+1", "+1", "-1", "@SUM(1)", "'=1", "''-1", "  =1", "\u3000-1", "\n1", "\r")
        ),
        *((f"{sign}1", f"'{sign}1") for sign in SIGNS),
        ("\t=1", "'\t'=1"),
        (";=1", ";'=1"),
        ("a; =1;b", "a;' =1;b"),
        ("a\n+1", "a\n'+1"),
    ],
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text, guarded):
    assert guard(text) == guarded


@pytest.mark.parametrize("text", ["O'Hare", "'s-Hertogenbosch", "a=b", "1-2", "'", "", "a; b", "a, =b"])
def test_other_text_stays_as_it_is(text):
    assert guard(text) == unguard(text) == text
