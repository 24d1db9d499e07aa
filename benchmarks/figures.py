"""What has been measured: one JSON file for each part and database, written after each step, read by the page."""

import json
import os
import platform
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from benchmarks.measure import ROOT, Measurement

RESULTS = ROOT / "benchmarks" / "results"
Figure = dict[str, Any]


class Figures:
    """The measurements of one part on one database; each is on the disk before the next begins."""

    def __init__(
        self, part: str, database: str, *, folder: Path = RESULTS, about: Figure | None = None, resumed: bool = False
    ) -> None:
        self.path = folder / f"{part}.{database.lower()}.json"
        figures = json.loads(self.path.read_text(encoding="utf-8"))["figures"] if resumed and self.path.exists() else {}
        self.document: Figure = {"part": part, "database": database, **(about or {}), "figures": figures}

    @property
    def names(self) -> list[str]:
        """What has been measured."""
        return list(self.document["figures"])

    def forget(self, name: str) -> None:
        """Forget what was measured of this name."""
        self.document["figures"].pop(name, None)

    def add(self, name: str, measured: Measurement | Figure) -> None:
        """Keep one more measurement of this name."""
        figure = measured.as_dict() if isinstance(measured, Measurement) else measured
        kept = self.document["figures"].setdefault(name, [])
        kept.append({**figure, "load": round(os.getloadavg()[0], 1)})
        self.document["ended"] = time.strftime("%Y-%m-%d %H:%M")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        partial.write_text(json.dumps(self.document, indent=1), encoding="utf-8")
        partial.rename(self.path)


class Kept:
    """All measurements that there are, as the page asks for them."""

    def __init__(self, folder: Path = RESULTS) -> None:
        self.documents = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.*.json")}

    def document(self, part: str, database: str) -> dict[str, Any]:
        """Return everything of a part; an empty dictionary where it was not measured."""
        return self.documents.get(f"{part}.{database.lower()}", {})

    def names(self, part: str, database: str) -> list[str]:
        """Return what was measured in a part, in its order."""
        return list(self.document(part, database).get("figures", {}))

    def all(self, part: str, database: str, name: str) -> list[Figure]:
        """Return all measurements of one thing."""
        return self.document(part, database).get("figures", {}).get(name, [])

    def seconds(self, part: str, database: str, name: str) -> float | None:
        """Return the median of the seconds; None where it was not measured."""
        return middle(figure["seconds"] for figure in self.all(part, database, name))

    def cpu(self, part: str, database: str, name: str) -> float | None:
        """Return the median of the CPU seconds of both sides; None where it was not measured."""
        return middle(cpu_of(figure) for figure in self.all(part, database, name))

    def peak(self, part: str, database: str, name: str) -> float | None:
        """Return the largest peak of memory in MB; None where it was not measured."""
        return max((figure["peak_mb"] for figure in self.all(part, database, name)), default=None)

    def printed(self, part: str, database: str, name: str) -> Figure:
        """Return what the process of the first round printed."""
        return next((figure["printed"] for figure in self.all(part, database, name)), {})


def cpu_of(figure: Figure) -> float:
    """Return the CPU seconds of both sides."""
    return figure["cpu"] if "cpu" in figure else figure["cpu_seconds"] + figure["server_cpu_seconds"]


def middle(values: Iterable[float]) -> float | None:
    """Return the median; None of nothing."""
    found = list(values)
    return median(found) if found else None


def about_machine() -> dict[str, Any]:
    """Return on what and of what a run is: cores, versions, commit, time."""
    said = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return {
        "began": time.strftime("%Y-%m-%d %H:%M"),
        "commit": said.stdout.strip(),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "versions": {
            "Python": platform.python_version(),
            "SQLite": sqlite3.sqlite_version,
            **{name: version(name) for name in ("Django", "psycopg", "django-import-export", "django-simple-history")},
        },
        "command": "python -m benchmarks " + " ".join(sys.argv[1:]),
    }


def version_of_server(url: str) -> dict[str, str]:
    """Return the version of PostgreSQL at an address."""
    if url.startswith("sqlite"):
        return {}
    with psycopg.connect(url.rpartition("/")[0] + "/postgres") as connection:
        return {"PostgreSQL": connection.execute("SHOW server_version").fetchone()[0].partition(" ")[0]}


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
