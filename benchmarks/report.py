"""Medians of the rounds, extrapolation of the samples, and the table of ratios."""

from dataclasses import dataclass, field
from statistics import median

from benchmarks.measure import Measurement

# The rows of the whole files, to which a sample's time per row is carried over.
WHOLE = {"first import": "first", "re-import unchanged": "first", "update 2022 -> 2026": "update"}
START_UP = "start-up"


@dataclass
class Rounds:
    """What every round measured on one database."""

    database: str
    ours: dict[str, list[Measurement]] = field(default_factory=dict)
    floor: list[Measurement] = field(default_factory=list)
    stock: dict[str, list[tuple[Measurement, int]]] = field(default_factory=dict)

    def as_dict(self, whole: dict[str, int]) -> dict:
        """Return everything measured and derived, for JSON."""
        return {
            "database": self.database,
            "ours": {name: [m.as_dict() for m in measured] for name, measured in self.ours.items()},
            "floor": [m.as_dict() for m in self.floor],
            "stock_sample": {
                name: [{"rows": rows, **m.as_dict()} for m, rows in measured] for name, measured in self.stock.items()
            },
            "stock_extrapolated_s": self.stock_whole(whole),
        }

    def stock_whole(self, whole: dict[str, int]) -> dict[str, float]:
        """Return the seconds that stock would take for the whole files: start-up once, then its time per row."""
        seconds = {name: median(m.seconds for m, _ in measured) for name, measured in self.stock.items()}
        start_up = seconds.pop(START_UP, 0.0)
        result = {}
        for name, taken in seconds.items():
            rows = self.stock[name][0][1]
            file = WHOLE[name.partition(",")[0]]
            result[name] = start_up + (taken - start_up) / rows * whole[file]
        return result


def table_of(rounds: Rounds, whole: dict[str, int]) -> str:
    """Return the measurements of one database as a Markdown table."""
    lines = [
        f"### {rounds.database}",
        "",
        "| work | console | peak memory | against | ratio |",
        "|---|---:|---:|---|---:|",
    ]
    stock = rounds.stock_whole(whole)
    ours = {name: median(m.seconds for m in measured) for name, measured in rounds.ours.items()}
    for name, seconds in ours.items():
        peak = max(m.peak_mb for m in rounds.ours[name])
        peers = [(f"stock, {label}", value) for label, value in stock.items() if label.partition(",")[0] == name]
        first_cells = f"| {name} | {seconds:.2f} s | {peak:.0f} MB |"
        rows = [f" {label}: {value:.0f} s | {value / seconds:.1f} x faster |" for label, value in peers]
        if name == "first import" and rounds.floor:
            floor = median(m.seconds for m in rounds.floor)
            rows.insert(0, f" floor: {floor:.2f} s | {seconds / floor:.2f} x the floor |")
        if name in ("revert of the import", "redo"):
            rows.append(f" first import: {ours['first import']:.2f} s | {seconds / ours['first import']:.2f} x |")
        for row in rows or [" | |"]:
            lines.append(first_cells + row)
            first_cells = "| | | |"
    return "\n".join(lines) + "\n"
