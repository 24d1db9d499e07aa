"""Figures of a stored plan, counted as its rows are stored: how many change each field, and how many move."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from apps.imports.models import FAR_KM, RowKind


@dataclass
class PlanFigures:
    """How many objects change in each field, how many move, and how many do nothing but move a little."""

    fields: Counter[str] = field(default_factory=Counter)
    moved: int = 0
    slight: int = 0
    farthest_km: float = 0.0

    def add(self, row: dict[str, Any]) -> None:
        """Count a row of the plan."""
        if row["kind"] != RowKind.CHANGED:
            return
        self.fields.update(row["changes"].keys())
        km = row["moved_km"]
        if km is not None and km >= FAR_KM:
            self.moved += 1
            self.farthest_km = max(self.farthest_km, km)
        self.slight += row["slight"]

    def as_json(self) -> dict[str, Any]:
        """Return what the run remembers of them."""
        return {
            "fields": dict(self.fields),
            "moved": self.moved,
            "slight": self.slight,
            "farthest_km": round(self.farthest_km, 3),
        }
