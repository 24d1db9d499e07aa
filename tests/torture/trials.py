"""The trials: what is done to a copy of the world, and what must hold of it afterwards."""

import os
import random
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.torture.acts import ACTS, PINNED, acting
from tests.torture.disks import SmallDisk, no_small_disk
from tests.torture.editors import try_editors
from tests.torture.frame import Trial
from tests.torture.processes import Crashed, Fork, measured
from tests.torture.states import State, state_of
from tests.torture.world import Databases, Place, make_world

ALONE = [
    *("import", "update", "apply a plan", "edit", "revert", "redo", "bulk action", "restore", "bring back", "pin"),
    "backup",
]
PAIRS = [
    *(("import", other) for other in ("edit", "revert", "bulk action", "import", "pin", "backup", "restore", "redo")),
    *(("apply a plan", other) for other in ("edit", "revert", "import", "bring back")),
    *(("edit", other) for other in ("edit too", "edit beside")),
    *(("revert", other) for other in ("bulk action", "revert", "redo", "backup")),
    ("update", "update"),
    ("bulk action", "bulk action"),
]
# The others are by time.
STRIKES_BY_STEP = 0.6
_WROTE_NOTHING = re.compile("[Nn]othing was (changed|imported|written|restored)")
_TRACES = re.compile(r"^Traceback \(most recent call last\)", re.M)


@dataclass
class Reference:
    """An act that nobody disturbed: how long it took, in how many steps, and the states before and after."""

    seconds: float
    steps: int
    before: State
    after: State


class Arena:
    """The world on one database, and the trials in it."""

    def __init__(self, databases: Databases, world: Place) -> None:
        self.databases, self.world = databases, world
        self._references: dict[str, Reference] = {}
        self._series: dict[tuple[str, str], State] = {}

    @cached_property
    def kinds(self) -> dict[str, Callable[[random.Random], Trial]]:
        """The kinds of trials that there are on this database."""
        kinds = {"kill": self.kill, "terminate": self.terminate, "pairs": self.pairs, "full disk": self.full_disk}
        if self.databases.is_sqlite:
            del kinds["terminate"]
        if why := no_small_disk(self.databases):
            print(f"Left out: trials of full disks, since {why}.")
            del kinds["full disk"]
        return kinds

    @property
    def last(self) -> dict[str, Callable[[], Trial]]:
        """The trial that comes once."""
        return {} if self.databases.is_sqlite else {"editors": self.editors}

    # -- one act, and what comes between ------------------------------------------------------------------------

    def kill(self, draw: random.Random) -> Trial:
        """Kill the process that does an act, after a time or before a step."""
        with self.databases.place(self.world) as place:
            return self._strike("kill", draw, place, lambda: os.kill(os.getpid(), signal.SIGKILL), Fork.strike)

    def terminate(self, draw: random.Random) -> Trial:
        """End the sessions of an act, as PostgreSQL does when it is started anew."""

        def from_within() -> None:
            with Databases(place.url, place.folder) as other:
                other.end_sessions(place)

        with self.databases.place(self.world) as place:
            return self._strike("terminate", draw, place, from_within, lambda _: self.databases.end_sessions(place))

    def _strike(
        self,
        kind: str,
        draw: random.Random,
        place: Place,
        from_within: Callable[[], None],
        from_outside: Callable[[Fork], None],
    ) -> Trial:
        act, by_step, at = draw.choice(ALONE), draw.random() < STRIKES_BY_STEP, draw.random()
        reference = self.reference(act)
        if by_step and reference.steps:
            step = 1 + int(at * reference.steps)
            trial = Trial(f"{kind}: {act} at step {step} of {reference.steps}")
            answer = self._let(Fork(acting(act, place, at=step, strike=from_within), log=place.log))
        else:
            seconds = at * reference.seconds
            trial = Trial(f"{kind}: {act} after {seconds:.3f} s of {reference.seconds:.3f} s")
            answer = self._let(Fork(acting(act, place), log=place.log), seconds, from_outside)
        self._look_after(trial, place, act, answer)
        return trial

    def full_disk(self, draw: random.Random) -> Trial:
        """Do an act where the disk becomes full, and once more when there is room again."""
        act, share = draw.choice([act for act in ALONE if act != "pin"]), draw.random()
        self.reference(act)
        with SmallDisk(self.databases) as disk, disk.place(self.world) as place:
            fork = Fork(acting(act, place), log=place.log)
            fork.until_ready()
            trial = Trial(f"full disk: {act} with {disk.shrink(share):,} bytes left")
            fork.go()
            answer = fork.end()[1]
            disk.grow()
            if answer is not None and not isinstance(answer, Crashed) and answer[1] is not None:
                words = "room|full|space|disk"
                trial.require(bool(re.search(words, answer[1])), f"it does not say that the disk is full: {answer[1]}")
            self._look_after(trial, place, act, answer)
        return trial

    def _let(self, fork: Fork, seconds: float = 0, strike: Callable[[Fork], None] | None = None) -> Any:
        fork.until_ready()
        fork.go()
        if strike is not None:
            time.sleep(seconds)
            strike(fork)
        return fork.end()[1]

    def _look_after(self, trial: Trial, place: Place, act: str, answer: Any) -> None:
        """Require of an act that something came between: all or nothing, truly told, and a second try works."""
        reference = self.reference(act)
        self._require_words(trial, place, answer, quiet=not trial.name.startswith("full disk"))
        now = state_of(self.databases, place)
        trial.complaints += now.complaints
        before, after = now.same(reference.before), now.same(reference.after)
        trial.require(before or after, f"neither as before nor as after: {now.difference(reference.after)}")
        if answer is not None and not isinstance(answer, Crashed):
            told = answer[1]
            trial.require(told is not None or after, "it was told to be done, and is not")
            trial.require(
                told is None or before or not _WROTE_NOTHING.search(told), f"it is done, and what was told is: {told}"
            )
        if before and not trial.complaints:
            again = self._let(Fork(acting(act, place), log=place.log))
            trial.require(again is not None and not isinstance(again, Crashed) and again[1] is None, f"again: {again}")
            now = state_of(self.databases, place)
            trial.complaints += now.complaints
            trial.require(now.same(reference.after), f"after a second try: {now.difference(reference.after)}")

    def _require_words(self, trial: Trial, place: Place, *answers: Any, quiet: bool = True) -> None:
        for answer in answers:
            trial.require(not isinstance(answer, Crashed), f"a traceback: {answer}")
        log = place.log.read_text(encoding="utf-8", errors="replace") if place.log.exists() else ""
        # Of a full disk the log of a server has the trace; nobody else has.
        trial.require(not quiet or not _TRACES.search(log), f"a traceback in the log: {log[-3000:]}")

    # -- two at once ---------------------------------------------------------------------------------------------

    def pairs(self, draw: random.Random) -> Trial:
        """Do two acts at once: it is as if one had come after the other, or one was told that it did nothing."""
        pair, lead = draw.choice(PAIRS), draw.uniform(-1, 1)
        later = abs(lead) * self.reference(pair[0] if lead > 0 else pair[1]).seconds
        trial = Trial(f"pairs: {' and '.join(pair)}, {'the second' if lead > 0 else 'the first'} {later:.3f} s later")
        with self.databases.place(self.world) as place:
            forks = [Fork(acting(act, place), log=place.log) for act in pair]
            for fork in forks:
                fork.until_ready()
            for number, fork in enumerate(forks if lead > 0 else reversed(forks)):
                time.sleep(later * number)
                fork.go()
            answers = [fork.end()[1] for fork in forks]
            self._require_words(trial, place, *answers)
            now = state_of(self.databases, place)
            trial.complaints += now.complaints
            if not any(answer is None or isinstance(answer, Crashed) for answer in answers):
                self._require_order(trial, pair, [answer[1] for answer in answers], now)
        return trial

    def _require_order(self, trial: Trial, pair: tuple[str, str], told: list[str | None], now: State) -> None:
        for words in filter(None, told):
            trial.require(bool(words.strip()) and "gave way" not in words, f"a person was told: {words!r}")
        done = [act for act, words in zip(pair, told, strict=True) if words is None]
        trial.require(bool(done), f"neither was done: {told}")
        if len(done) == 2:
            orders = [self.series(*pair), self.series(*reversed(pair))]
        else:
            orders = [self.reference(act).after for act in done]
        apart = set[tuple[str, str]]()
        if len(done) == 2 and any(act in ("import", "apply a plan", "update") for act in pair):
            # Rows that the other one changed, or pinned, after the plan was made are skipped by an import.
            alone = [self.reference(act) for act in pair]
            apart = set.intersection(*(act.after.differing(act.before) for act in alone))
            apart |= {PINNED} if "pin" in pair else set()
            states = [*orders, *(reference.after for reference in alone)]
            for key in apart:
                trial.require(
                    any(now.rows.get(key) == state.rows.get(key) for state in states),
                    f"{key} is {now.rows.get(key)}, which no order makes of it",
                )
        holds = any(now.same(order, apart=apart) for order in orders)
        differences = "\n    ".join(now.difference(order, apart=apart) for order in orders)
        trial.require(holds, f"in no order, told {told}: {differences}")

    # -- many at once --------------------------------------------------------------------------------------------

    def editors(self) -> Trial:
        """Let ten people save rows during an import of real size; only PostgreSQL lets them write meanwhile."""
        figures, complaints = try_editors(self.databases)
        return Trial(f"editors: {figures}", complaints)

    # -- what is compared with ------------------------------------------------------------------------------------

    def reference(self, act: str) -> Reference:
        """Return an act as it is when nobody disturbs it, done once."""
        if act not in self._references:
            with self._undisturbed() as (place, before):
                seconds, answer = measured(Fork(acting(act, place), log=place.log))
                after = state_of(self.databases, place)
            if isinstance(answer, Crashed) or answer is None or answer[1] is not None or after.complaints:
                raise RuntimeError(f"{act}, undisturbed: {answer} {after.complaints}")
            self._references[act] = Reference(seconds, answer[0], before, after)
        return self._references[act]

    def series(self, first: str, second: str) -> State:
        """Return the state when one act comes after the other, both having been begun before."""
        if (first, second) not in self._series:
            with self._undisturbed() as (place, _before):
                forks = [Fork(acting(act, place), log=place.log) for act in (first, second)]
                for fork in forks:
                    measured(fork)
                self._series[first, second] = state_of(self.databases, place)
        return self._series[first, second]

    @contextmanager
    def _undisturbed(self) -> Iterator[tuple[Place, State]]:
        with self.databases.place(self.world) as place:
            yield place, state_of(self.databases, place)


@contextmanager
def arena(url: str, folder: Path) -> Iterator[Arena]:
    """Make the world on a database, and give the trials in it."""
    with Databases(url, folder) as databases, databases.place() as world:
        make_world(world)
        yield Arena(databases, world)


assert set(ALONE) <= set(ACTS)
