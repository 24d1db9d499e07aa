"""The form of the reason: one for every act, with one sentence where it is missing."""

from django import forms
from django.http import HttpRequest

LONGEST_REASON = 1000
NO_REASON = "Say why: others will read it beside the change."
# The form of an object asks for it by a name of its own, and so did the page of a pin.
NAMES = ("reason", "change_reason", "note")


class ReasonForm(forms.Form):
    """Asks for the reason of an act."""

    reason = forms.CharField(
        label="Why",
        max_length=LONGEST_REASON,
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        error_messages={"required": NO_REASON},
    )


def posted_reason(request: HttpRequest) -> str:
    """Return the reason that was posted; empty where there is none."""
    reason = next((request.POST[name] for name in NAMES if request.POST.get(name)), "")
    return reason.strip()[:LONGEST_REASON]
