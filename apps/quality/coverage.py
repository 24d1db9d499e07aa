"""The coverage of links: how many rows have one, of the links that may be empty."""

from dataclasses import dataclass

from django.db.models import Count

from apps.changesets.tracking import tracked_models


@dataclass(frozen=True)
class Coverage:
    """How many rows of a model (a label) have a link, out of all."""

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
        """The number of rows without the link."""
        return self.total - self.linked


def share_of(linked: int, total: int) -> float:
    """Return a share in percent with two decimals, never rounded up to 100; 100 when there are no rows."""
    if not total:
        return 100.0
    share = round(linked * 100 / total, 2)
    return share if linked == total else min(share, 99.99)


def link_coverage(*, using: str = "default") -> tuple[Coverage, ...]:
    """Return the coverage of every link of a tracked model that may be empty; one query for each such model."""
    coverages: list[Coverage] = []
    for tracked in tracked_models():
        fields = [field.name for field in tracked.model._meta.concrete_fields if field.is_relation and field.null]
        if fields:
            rows = tracked.model._base_manager.using(using).order_by()
            counts = rows.aggregate(total=Count("pk"), **{f"with_{field}": Count(field) for field in fields})
            coverages += [Coverage(tracked.label, field, counts[f"with_{field}"], counts["total"]) for field in fields]
    return tuple(coverages)
