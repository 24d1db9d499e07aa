"""No spreadsheet runs what we give it, and what we guard comes back as it was."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.changesets.text import guard, unguard

NASTY = st.text(alphabet=st.sampled_from("'=+-@\t\ra1 "), max_size=8)


@given(st.text() | NASTY)
@example("'=1+1")
@example("''")
@example("")
def test_every_text_comes_back_as_it_was(text):
    assert unguard(guard(text)) == text


@given(st.text() | NASTY)
def test_guarded_text_never_begins_as_a_formula(text):
    assert not guard(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "'=1", "''-1"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert guard(text) == "'" + text


@pytest.mark.parametrize("text", ["O'Hare", "'s-Hertogenbosch", "a=b", "1-2", "'", ""])
def test_other_text_stays_as_it_is(text):
    assert guard(text) == unguard(text) == text
