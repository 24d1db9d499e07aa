"""Where other apps add what they know about a change: how far a point moved, and the like."""

from collections.abc import Callable

from apps.changesets.history.diff import Change

Describer = Callable[[Change], str]
_describers: dict[str, list[Describer]] = {}


def register_describer(label: str, describer: Describer) -> None:
    """Let `describer` add to each change of a model (a label): it returns safe HTML, or nothing to add."""
    known = _describers.setdefault(label, [])
    if describer not in known:
        known.append(describer)


def describe(change: Change) -> list[str]:
    """Return what the other apps have to say of a change, as safe HTML."""
    return [told for describer in _describers.get(change.model, ()) if (told := describer(change))]
