"""The signed token of a confirm page: what the plan saw, for this person, act and subject."""

import secrets
from typing import Any

from django.core import signing

from apps.changesets.errors import PlanMoved

A_DAY = 24 * 60 * 60
SALT = "changesets.acts"


def make_token(state: Any, *, user_id: int, act: str, subject: Any) -> str:
    """Return the token of one showing of a plan; `subject` and `state` (what the plan saw) are values that JSON has."""
    return signing.dumps([user_id, act, subject, state, secrets.token_urlsafe(6)], salt=SALT, compress=True)


def read_token(token: str, *, user_id: int, act: str, subject: Any, noun: str) -> Any:
    """Return the state that was shown; raises PlanMoved for any token but one of this person, act and subject.

    `noun` is the word for what was shown, in the sentence.
    """
    try:
        shown_to, of_act, about, state, _nonce = signing.loads(token, salt=SALT, max_age=A_DAY)
    except signing.SignatureExpired as error:
        raise PlanMoved("what you confirmed is older than a day", noun) from error
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise PlanMoved("what was confirmed was not shown on this page", noun) from error
    if (shown_to, of_act, about) != (user_id, act, subject):
        raise PlanMoved("what was confirmed was shown to somebody else, or elsewhere", noun)
    return state
