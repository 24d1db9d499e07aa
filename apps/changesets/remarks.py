"""Where other apps add what they know about a changeset to its page: which import it was, and the like."""

from collections.abc import Callable

from apps.changesets.models import Changeset

Remark = Callable[[Changeset], str]
_remarks: list[Remark] = []


def register_remark(remark: Remark) -> None:
    """Let `remark` add to each changeset's page: it returns safe HTML, or nothing to add."""
    if remark not in _remarks:
        _remarks.append(remark)


def remarks_on(changeset: Changeset) -> list[str]:
    """Return what the other apps have to say of a changeset, as safe HTML."""
    return [told for remark in _remarks if (told := remark(changeset))]
