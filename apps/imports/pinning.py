"""Pins as an import meets them (placeholder until the pins are merged)."""

from apps.imports.staging import Staging


def load_pins(staging: Staging) -> frozenset[str]:
    """Return no pinned fields."""
    return frozenset()


def leave_deleted(staging: Staging) -> int:
    """Leave nothing out."""
    return 0
