"""How time and memory grow with the rows of a table, and the database with its history."""

from benchmarks.floor import connect
from benchmarks.measure import MANAGE
from benchmarks.run import IMPORT, ROLLBACK, SETTINGS, Run

STEP = ["-m", "benchmarks.steps"]
ALTERNATING, ALTERNATING_QUICK = 30, 4
HISTORY = "airports_historicalairport"
FAR_AHEAD = "2100-01-01"


def measure_growth(run: Run) -> None:
    """Note at each size the import, the update as a worker does it, its revert, and pages; other sizes are kept."""
    for rows in run.sizes:
        for name in run.figures.names:
            if name.startswith(f"{rows}: "):
                run.figures.forget(name)
        files = run.plain(["-m", "benchmarks.generated", str(run.scratch), str(rows)]).printed
        run.take("migrated")
        step = [*STEP, str(run.scratch)]
        run.child(f"{rows}: import", [*IMPORT, files["first"]])
        run.plain([*step, "user"])
        run.plain([*step, "open", files["later"]])
        run.child(f"{rows}: plan of the update, stored", [*step, "work"])
        _pages(run, rows, "plan")
        run.plain([*step, "confirm"])
        run.child(f"{rows}: update", [*step, "work"])
        _pages(run, rows, "revert")
        run.child(f"{rows}: revert of the update", ROLLBACK)
        run.plain([*step, "delete", str(rows // 50)])
        _pages(run, rows, "lists")
        run.child(f"{rows}: validate", [*MANAGE, "validate_airports", "--json", SETTINGS])
        run.child(f"{rows}: revert of the import", ROLLBACK)


def _pages(run: Run, rows: int, part: str) -> None:
    for name, figure in run.plain(["-m", "benchmarks.pages", str(run.scratch), part, "few"]).printed.items():
        run.add(f"{rows}: {name}", figure)


def measure_history(run: Run) -> None:
    """Note how history grows over imports of two files in turns, and what pruning and VACUUM give back."""
    rows = run.sizes[0]
    files = run.plain(["-m", "benchmarks.generated", str(run.scratch), str(rows)]).printed
    run.take("migrated")
    times = ALTERNATING_QUICK if run.quick else ALTERNATING
    for number in range(times):
        measured = run.child(f"import {number + 1}", [*IMPORT, files["later" if number % 2 else "first"]])
        if number in (0, 1, times // 2 - 1, times - 1):
            note = {"printed": {**sizes_of(run.url), "updated": measured.printed["updated"]}}
            run.add(f"after {number + 1} imports", note)
    run.child("prune", [*MANAGE, "prune_history", "--before", FAR_AHEAD, "--json", SETTINGS])
    run.add("after pruning", {"printed": sizes_of(run.url)})
    with connect(run.url) as connection:
        if run.database == "PostgreSQL":
            connection.autocommit = True
        connection.execute("VACUUM" if run.database == "SQLite" else "VACUUM FULL")
    run.add("after VACUUM", {"printed": sizes_of(run.url)})


def sizes_of(url: str) -> dict[str, int]:
    """Return the bytes of the database and of the history of airports, its rows, and the fields that changed."""
    with connect(url) as connection:
        if url.startswith("sqlite"):
            named = "name IN (SELECT name FROM sqlite_master WHERE tbl_name = ?)"
            sizes = [
                connection.execute("SELECT sum(pgsize) FROM dbstat").fetchone()[0],
                connection.execute(f"SELECT sum(pgsize) FROM dbstat WHERE {named}", [HISTORY]).fetchone()[0],
            ]
        else:
            connection.execute("CHECKPOINT")
            sizes = connection.execute(
                "SELECT pg_database_size(current_database()), pg_total_relation_size(%s)", [HISTORY]
            ).fetchone()
        rows = connection.execute(f"SELECT count(*) FROM {HISTORY}").fetchone()[0]
        counted = connection.execute("SELECT field_counts FROM changesets_changeset").fetchall()
    return {"database": sizes[0], "history": sizes[1], "rows": rows, "fields": sum(map(_fields_in, counted))}


def _fields_in(counted: tuple) -> int:
    """Return how many fields of airports a changeset changed, as it has counted them."""
    import json

    value = json.loads(counted[0]) if isinstance(counted[0], str) else counted[0]
    return sum((value or {}).get("airport", {}).values())
