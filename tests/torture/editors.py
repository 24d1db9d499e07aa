"""Ten people save rows once a second while 85,000 real rows are imported: nobody loses anything, nobody waits long."""

import csv
import gzip
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.torture.acts import AIRPORTS, Told, client_of_tess, command, form_of, post
from tests.torture.processes import Crashed, Fork, Steps, measured, run
from tests.torture.states import state_of
from tests.torture.world import Databases, Place, enter

PEOPLE = 10
ROWS = 85_000
# A page waits so long for others; what it needs itself is told by the other saves, since machines differ.
WAITS_SECONDS = 5
BUNDLED = Path(__file__).resolve().parents[2] / "data" / "ourairports-2022-10-11.csv.gz"


@dataclass
class Saves:
    """What one person saved: how long each took, what was told instead, and the last value of each row."""

    seconds: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)


def make_real_world(place: Place) -> list[str]:
    """Fill an empty place with the bundled snapshot, and write a later one; return idents that people may edit."""
    with gzip.open(BUNDLED, "rt", encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    number, ident, name = header.index("id"), header.index("ident"), header.index("name")
    fresh = max(int(row[number]) for row in rows)
    for row in rows:
        row[name] += " again"
    for more in range(1, ROWS - len(rows) + 1):
        rows.append(list(rows[more]))
        rows[-1][number], rows[-1][ident] = str(fresh + more), f"ZZ-{more}"
        rows[-1][header.index("iata_code")] = ""
    with (place.folder / "later.csv").open("w", encoding="utf-8", newline="") as later:
        csv.writer(later).writerows([header, *rows])
    run(lambda: _fill(place), log=place.log)
    return [row[ident] for row in rows[100:5100] if row[ident].isalnum()]


def _fill(place: Place) -> None:
    from django.contrib.auth.models import User
    from django.core.management import call_command

    enter(place)
    call_command("migrate", verbosity=0)
    User.objects.create_superuser("tess")
    call_command("import_airports", bundled=True, verbosity=0)


def editing(place: Place, idents: list[str], over: Path) -> Steps:
    """Save a row once a second, each a value that nobody else writes, until it is over."""
    enter(place)
    client, saves = client_of_tess(), Saves()
    yield
    for number, ident in enumerate(idents):
        if over.exists():
            break
        began = time.monotonic()
        values = form_of(client, f"{AIRPORTS}{ident}/change/")
        asked, typed = time.monotonic(), f"Typed {number}"
        try:
            post(client, f"{AIRPORTS}{ident}/change/", {**values, "municipality": typed})
            saves.values[ident] = typed
        except Told as words:
            saves.told.append(str(words))
        saves.seconds.append(time.monotonic() - asked)
        time.sleep(max(0, began + 1 - time.monotonic()))
    return saves


def importing(place: Place) -> Steps:
    """Import the later snapshot."""
    enter(place)
    yield
    command("import_airports", "--file", str(place.folder / "later.csv"))
    return "done"


def try_editors(databases: Databases) -> tuple[str, list[str]]:
    """Import with and without people; return the figures in words, and what was wrong."""
    with databases.place() as world:
        idents = make_real_world(world)
        with databases.place(world) as place:
            undisturbed, answer = measured(Fork(lambda: importing(place), log=place.log))
        if answer != "done":
            return "", [f"the import with nobody there: {answer}"]
        with databases.place(world) as place:
            seconds, answer, people = _together(place, idents)
            return _judge(databases, place, (undisturbed, seconds), answer, people)


def _together(place: Place, idents: list[str]) -> tuple[float, object, list[Saves | Crashed | None]]:
    over, share = place.folder / "over", len(idents) // PEOPLE
    parts = [idents[share * number : share * (number + 1)] for number in range(PEOPLE)]
    forks = [Fork(lambda part=part: editing(place, part, over), log=place.log) for part in parts]  # type: ignore[misc]
    for fork in forks:
        fork.until_ready()
        fork.go()
    seconds, answer = measured(Fork(lambda: importing(place), log=place.log))
    over.touch()
    return seconds, answer, [fork.end()[1] for fork in forks]


def _judge(
    databases: Databases, place: Place, took: tuple[float, float], answer: object, people: list[Saves | Crashed | None]
) -> tuple[str, list[str]]:
    complaints = [] if answer == "done" else [f"the import: {answer}"]
    complaints += [f"a person: {person}" for person in people if not isinstance(person, Saves)]
    saved = [person for person in people if isinstance(person, Saves)]
    now = state_of(databases, place)
    complaints += now.complaints
    live = {row[0]: row for (table, _), row in now.rows.items() if table == "airport"}
    lost = [ident for person in saved for ident, typed in person.values.items() if typed not in live.get(ident, ())]
    complaints += [f"lost: {lost[:10]}"] if lost else []
    seconds = sorted(seconds for person in saved for seconds in person.seconds) or [0.0]
    usual, longest = seconds[len(seconds) // 2], seconds[-1]
    if longest > WAITS_SECONDS + 10 * usual:
        complaints.append(f"somebody waited {longest:.1f} s")
    log = place.log.read_text(encoding="utf-8", errors="replace")
    traces = log.count("Traceback (most recent call last)")
    complaints += [f"{traces} tracebacks: {log[-2000:]}"] if traces else []
    told = [words for person in saved for words in person.told]
    return (
        f"{sum(len(person.values) for person in saved)} saves by {len(saved)} people, {len(lost)} lost, "
        f"{len(told)} told ({told[:1]}), longest wait {longest:.2f} s, median {usual:.2f} s, {traces} tracebacks; "
        f"the import took {took[1]:.1f} s, with nobody there {took[0]:.1f} s"
    ), complaints
