"""How many rows have the links that they should have; apps declare which links are to be watched."""

from dataclasses import dataclass

from django.apps import apps
from django.db.models import Count

_watched: dict[str, tuple[str, ...]] = {}


@dataclass(frozen=True)
class Coverage:
    """Of how many rows of a model (a label) a link is made."""

    model: str
    field: str
    linked: int
    total: int

    @property
    def percent(self) -> float:
        """The share in percent."""
        return share_of(self.linked, self.total)

    @property
    def unlinked(self) -> int:
        """How many rows have no such link."""
        return self.total - self.linked


def share_of(linked: int, total: int) -> float:
    """Return a share in percent, two decimals, never rounded up to the whole; 100 of nothing."""
    if not total:
        return 100.0
    share = round(linked * 100 / total, 2)
    return share if linked == total else min(share, 99.99)


def watch_links(label: str, *fields: str) -> None:
    """Let the coverage of these links of a model (a label) be counted."""
    _watched[label] = fields


def link_coverage(*, using: str = "default") -> tuple[Coverage, ...]:
    """Return the coverage of every watched link; one query for each model."""
    coverages: list[Coverage] = []
    for label, fields in _watched.items():
        rows = apps.get_model(label)._base_manager.using(using).order_by()
        counts = rows.aggregate(total=Count("pk"), **{f"with_{field}": Count(field) for field in fields})
        coverages += [Coverage(label, field, counts[f"with_{field}"], counts["total"]) for field in fields]
    return tuple(coverages)
