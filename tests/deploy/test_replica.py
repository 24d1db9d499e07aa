"""A streaming replica is paused, lags, dies and returns: who wrote reads what they wrote, and no page fails."""

import os
import re
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.deploy.machines import ConsoleMachine, Person, make_certificate
from tests.servers import Cluster, folder_for_postgres, redis_server, wait_until

DATABASE = "console"
LIST = "/admin/base/country/"
# Settings: how long the own writes of a person are read from the primary, and how far behind a replica may be.
LAG_SECONDS = 3
pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not os.environ.get("REQUIRE_DEPLOY"), reason="takes half a minute: the lane deploy runs it"),
]


@pytest.fixture(scope="module")
def primary() -> Iterator[Cluster]:
    """A cluster of the test's own, with a database."""
    with folder_for_postgres() as folder:
        made = Cluster.make(folder / "primary")
        try:
            made.ask(f"CREATE DATABASE {DATABASE}")
            yield made
        finally:
            made.stop("immediate")


@pytest.fixture(scope="module")
def replica(primary: Cluster) -> Iterator[Cluster]:
    """A streaming replica of it."""
    made = primary.copy(primary.folder.parent / "replica", "-R", "-C", "-S", "follower")
    made.start()
    try:
        yield made
    finally:
        made.stop("immediate")


@pytest.fixture(scope="module")
def console(primary: Cluster, replica: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleMachine]:
    """A console on the primary that reads from the replica."""
    folder = tmp_path_factory.mktemp("console")
    with redis_server(folder) as cache:
        machine = ConsoleMachine(
            folder / "a", primary.url(DATABASE), share=folder / "shared", certificate=make_certificate(folder),
            cache=cache, MACHINES_REPLICA=str(replica.port), MACHINES_LAG=str(LAG_SECONDS),
        )  # fmt: skip
        try:
            machine.manage("migrate", "--verbosity", "0")
            machine.manage("createsuperuser", "--noinput", "--username", "ana", "--email", "ana@example.com")
            machine.serve()
            yield machine
        finally:
            machine.stop()


@pytest.fixture
def ana(console: ConsoleMachine, replica: Cluster) -> Person:
    """Ana, who wrote nothing for a while, with a replica that follows."""
    follow(replica)
    ana = console.ana()
    let_go(ana)
    wait_until(lambda: asks(replica, ana), "the replica is not read from", seconds=60)
    return ana


def follow(replica: Cluster) -> None:
    replica.ask("SELECT pg_wal_replay_resume()")


def let_go(person: Person) -> None:
    """Forget that the person wrote: the cookie would say so for some seconds."""
    for cookie in list(person.cookies):
        if cookie.name == "primary":
            person.cookies.clear(cookie.domain, cookie.path, cookie.name)


def asks(replica: Cluster, person: Person) -> bool:
    """Whether the list of countries is read from the replica, which counts how often a table is read."""
    before = reads(replica)
    assert "Countries" in person.read(LIST)
    time.sleep(0.1)
    return reads(replica) > before


def reads(replica: Cluster) -> int:
    counted = "SELECT seq_scan + coalesce(idx_scan, 0) FROM pg_stat_user_tables WHERE relname = 'base_country'"
    return int(replica.ask(counted, DATABASE))


def add(person: Person, code: str, name: str) -> str:
    """Add a country, and return the list to which this leads."""
    fields = {
        "iso_code": code,
        "iso3": {"IS": "ISL", "FJ": "FJI", "PE": "PER", "CL": "CHL"}[code],
        "name": name,
        "active": "on",
        "change_reason": "a test",
    }
    answer, page = person.send(f"{LIST}add/", fields)
    assert answer.url.endswith(LIST), re.findall(r"errorlist.*", page)
    return page


def test_a_page_is_read_from_the_replica(ana: Person, replica: Cluster):
    assert asks(replica, ana)


def test_who_wrote_sees_it_while_the_replica_is_paused(ana: Person, console: ConsoleMachine, replica: Cluster):
    replica.ask("SELECT pg_wal_replay_pause()")
    wait_until(lambda: replica.ask("SELECT pg_get_wal_replay_pause_state()") == "paused", "it is not paused")

    page = add(ana, "IS", "Written while paused")

    assert "Written while paused" in page
    assert "Written while paused" in ana.read(LIST)
    assert not replica.ask("SELECT count(*) FROM base_country WHERE iso_code = 'IS'", DATABASE)


def test_who_wrote_sees_it_however_long_the_replica_is_paused(ana: Person, replica: Cluster):
    replica.ask("SELECT pg_wal_replay_pause()")
    add(ana, "PE", "Peru, written while paused")
    time.sleep(LAG_SECONDS + 1)

    assert "Peru, written while paused" in ana.read(LIST)


def test_a_paused_replica_is_left_out_once_it_lags_and_serves_again_when_it_follows(ana, console, replica):
    other = console.ana()
    let_go(other)
    replica.ask("SELECT pg_wal_replay_pause()")
    add(ana, "FJ", "Written before the lag")

    wait_until(lambda: "Written before the lag" in other.read(LIST), "the stale replica is still read", seconds=30)
    assert "Nothing is read from replica for now: it is more than" in console.log("web")

    follow(replica)
    wait_until(lambda: asks(replica, other), "the replica that follows again is not read from", seconds=60)
    assert "Written before the lag" in other.read(LIST)


def test_a_replica_that_dies_costs_no_page_and_is_read_again_when_it_returns(ana, console, replica):
    replica.stop("immediate")

    for _ in range(5):
        assert "Countries" in ana.read(LIST)
    assert "Written while dead" in add(ana, "CL", "Written while dead")
    with pytest.raises(psycopg.OperationalError):
        replica.ask("SELECT 1")

    replica.start()
    let_go(ana)
    wait_until(lambda: asks(replica, ana), "the replica that returned is not read from", seconds=60)
    wait_until(lambda: "Written while dead" in ana.read(LIST), "it lacks what it missed", seconds=10)
