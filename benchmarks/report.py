"""Medians of the rounds, extrapolation of the samples, and the table of ratios."""

from dataclasses import dataclass, field
from statistics import median

from benchmarks.measure import Measurement

# The rows of the whole files, to which a sample's time per row is carried over.
WHOLE = {
    "first import": "first",
    "re-import unchanged": "first",
    "update 2022 -> 2026": "update",
    "preview of the update": "update",
}
START_UP, PREVIEW_START_UP, PREVIEW = "start-up", "start-up of a preview", "preview of the update"
PLAN, APPLY = "upload to plan page", "confirm to applied"
GOALS = "goals: preview >= 30 x, page < 200 kB, <= 15 queries"


@dataclass
class Rounds:
    """What every round measured on one database."""

    database: str
    ours: dict[str, list[Measurement]] = field(default_factory=dict)
    floor: list[Measurement] = field(default_factory=list)
    stock: dict[str, list[tuple[Measurement, int]]] = field(default_factory=dict)
    pages: dict[str, list[Measurement]] = field(default_factory=dict)
    memory: dict[str, Measurement] = field(default_factory=dict)
    backups: dict[str, list[Measurement]] = field(default_factory=dict)
    bulk: list[Measurement] = field(default_factory=list)
    whole_preview: Measurement | None = None

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
            "stock_preview_extrapolated_bytes": self.stock_page(whole),
            "stock_whole_preview": self.whole_preview.as_dict() if self.whole_preview else None,
            "pages": {name: [m.as_dict() for m in measured] for name, measured in self.pages.items()},
            "bulk": [measured.as_dict() for measured in self.bulk],
            "memory": {name: measured.as_dict() for name, measured in self.memory.items()},
            "backups": {name: [m.as_dict() for m in measured] for name, measured in self.backups.items()},
        }

    def stock_whole(self, whole: dict[str, int]) -> dict[str, float]:
        """Return the seconds that stock would take for the whole files: start-up once, then its time per row."""
        seconds = {name: median(m.seconds for m, _ in measured) for name, measured in self.stock.items()}
        starts = {PREVIEW: seconds.pop(PREVIEW_START_UP, 0.0)}
        otherwise = seconds.pop(START_UP, 0.0)
        result = {}
        for name, taken in seconds.items():
            start_up = starts.get(name, otherwise)
            rows = self.stock[name][0][1]
            file = WHOLE[name.partition(",")[0]]
            result[name] = start_up + (taken - start_up) / rows * whole[file]
        return result

    def stock_page(self, whole: dict[str, int]) -> float:
        """Return the bytes that the stock preview of the whole update would have: its frame once, then its rows."""
        if PREVIEW not in self.stock:
            return 0.0
        (sample, rows), (frame, _none) = self.stock[PREVIEW][0], self.stock[PREVIEW_START_UP][0]
        frame_bytes = frame.printed["page_bytes"]
        return frame_bytes + (sample.printed["page_bytes"] - frame_bytes) / rows * whole["update"]


def table_of(rounds: Rounds, whole: dict[str, int]) -> str:
    """Return the measurements of one database as a Markdown table; without any of the commands only its title."""
    if not rounds.ours:
        return f"### {rounds.database}\n"
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


def preview_table_of(rounds: Rounds, whole: dict[str, int]) -> str:
    """Return what the way through the admin takes, beside the stock preview of the same run, as a Markdown table."""
    if not rounds.pages:
        return ""
    peers = {"stock preview": (rounds.stock_whole(whole).get(PREVIEW), rounds.stock_page(whole))}
    if rounds.whole_preview:
        peers["stock preview, all rows"] = (rounds.whole_preview.seconds, rounds.whole_preview.printed["page_bytes"])
    lines = [
        f"| through the admin ({GOALS}) | console | peak memory | page | queries | against | ratio |",
        "|---|---:|---:|---:|---:|---|---:|",
    ]
    for name, measured in rounds.pages.items():
        seconds, peak = median(m.seconds for m in measured), max(m.peak_mb for m in measured)
        page = measured[0].printed
        row = f"| {name} | {seconds:.2f} s | {peak:.0f} MB | {page['page_bytes'] / 1000:.0f} kB | {page['queries']} |"
        against = [
            f" {label}: {taken:.0f} s, {size / 1e6:.0f} MB page | {taken / seconds:.1f} x faster |"
            for label, (taken, size) in peers.items()
            if taken and name == PLAN
        ]
        lines += [first + cells for first, cells in zip([row, *["| | | | | |"] * 9], against or [" | |"], strict=False)]
    phases = rounds.pages[PLAN][0].printed["phases"]
    lines += ["", f"{PLAN}: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in phases.items())]
    return "\n".join(lines) + "\n"


def memory_table_of(rounds: Rounds) -> str:
    """Return the peak memory of the workers as a Markdown table."""
    if not rounds.memory:
        return ""
    lines = ["| worker (goal: < 300 MB) | time | peak memory |", "|---|---:|---:|"]
    for name, measured in rounds.memory.items():
        lines.append(f"| {name} | {measured.seconds:.2f} s | {measured.peak_mb:.0f} MB |")
    return "\n".join(lines) + "\n"
