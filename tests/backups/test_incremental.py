"""An incremental backup brings its base to exactly where the database was, up to any changeset or moment in it."""

import gzip
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.airports.models import Airport
from apps.backups.catalogue.manifests import Backup, amend, list_backups
from apps.backups.creating import create_backup
from apps.backups.drivers import PORTABLE, data, incremental
from apps.backups.errors import BackupAltered, BackupUnreadable, ChainBroken, NoBase, NotReached, OtherSchema
from apps.backups.portable.carried import history_models
from apps.backups.portable.replaying import replay
from apps.backups.portable.writing import write_rows
from apps.backups.restore.opening import needed_for
from apps.backups.restore.point_in_time import plan_restore
from apps.backups.restore.verify import verify
from apps.base.models import Country
from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from apps.changesets.recording import uninstall_recording
from apps.changesets.recording.audit import find_drift
from apps.changesets.revert import plan_revert, revert
from apps.changesets.tracking import tracked_models
from tests.changesets.test_properties import STEPS, work

MODELS = (*(tracked.model for tracked in tracked_models()), *history_models())


@dataclass
class Chain:
    """Backups of the database under test, made inside its transaction."""

    folder: Path
    backups: list[Backup]

    def add(self) -> Backup:
        """Go on with a backup: a data backup first, and then increments."""
        number = len(self.backups)
        file = self.folder / f"{number}.gz"
        at = timezone.now()
        if number:
            facts = incremental.write_since("default", file, self.backups[-1])
        else:
            facts = data.write_all("default", file)
        kind = "incremental" if number else "data"
        told = {"actor": "", "reason": "", "size_bytes": file.stat().st_size, "sha256": "", "path": file.name}
        self.backups.append(Backup(**vars(facts), id=f"b{number}", kind=kind, created_at=at, **told))
        return self.backups[-1]

    def restore(self, chain: list[Backup], *, upto: Any = None) -> None:
        """Restore, and leave the recording away: what comes now is compared."""
        connection.check_constraints()
        uninstall_recording()
        for backup in chain:
            file = self.folder / backup.path
            if upto is not None and backup == chain[-1] and backup.kind == "incremental":
                replay(file, "default", upto=upto)
            else:
                PORTABLE[backup.kind].restorer.restore_into(file, "default")


@pytest.fixture
def chain(db: None, tmp_path: Path) -> Chain:
    """Changesets #1 in a data backup, #2 and #3 in an increment, #4 in another one."""
    chain = Chain(tmp_path, [])
    for number, name in enumerate(("Eins", "Zwei", "Drei", "Vier"), 1):
        with changeset(kind="edit", actor=None, reason=name):
            Country.objects.create(iso_code=f"X{number}", name=name)
            Country.objects.filter(iso_code="X1").update(name=name)
        if number != 2:
            chain.add()
    return chain


def numbers() -> list[int]:
    return list(Changeset.objects.order_by("pk").values_list("pk", flat=True))


def state(*, exact: bool = True) -> dict[str, Any]:
    """Return what is in the tracked tables, their history, and what became of the changesets."""
    found: dict[str, Any] = {model._meta.db_table: write_rows("default", model, None).content for model in MODELS}
    if not exact:
        for tracked in tracked_models():
            columns = [column for column in tracked.columns if column not in tracked.untracked]
            found[tracked.table] = sorted(map(repr, tracked.model.objects.values_list(*columns)))
    found["changesets"] = list(Changeset.objects.order_by("pk").values_list("pk", "status", "reason"))
    return found


class RestoringAnywhereTest(TestCase):
    # Few as a rule, and a quarter of them where many are asked for.
    @settings(max_examples=settings.default.max_examples // 4)
    @given(
        segments=st.lists(st.lists(st.one_of(STEPS, st.integers(0, 5)), max_size=3), min_size=2, max_size=4),
        which=st.integers(0, 20),
    )
    def test_full_and_increments_up_to_any_changeset_are_the_state_then(self, segments: list, which: int) -> None:
        states: dict[int, dict] = {}
        with TemporaryDirectory() as folder:
            chain = Chain(Path(folder), [])
            for acts in segments:
                for act in acts:
                    if made := self._act(act):
                        states[made] = state(exact=False)
                # Saved without a change: no history row holds the new `updated_at`.
                for airport in Airport.objects.all()[:1]:
                    airport.save()
                chain.add()
            end = state()
            reachable = [pk for pk in states if pk >= (chain.backups[0].newest_changeset or 0)]

            chain.restore(chain.backups)
            assert state() == end
            assert find_drift()[1] == []
            if reachable:
                upto = reachable[which % len(reachable)]
                chain.restore(plan_restore(chain.backups, upto), upto=upto)
                assert state(exact=False) == states[upto]
                assert find_drift()[1] == []

    def _act(self, act: list | int) -> int | None:
        if isinstance(act, list):
            made = work(act)
            return made.pk if made else None
        open_ones = Changeset.objects.filter(status="applied").order_by("pk")
        if not open_ones:
            return None
        with transaction.atomic():
            made = revert(plan_revert([open_ones[act % len(open_ones)]]), actor=None)
            # A revert of what is so already marks without a changeset: nothing tells when.
            transaction.set_rollback(made is None)
        return made.pk if made else None


def test_an_increment_holds_only_what_came_since(chain: Chain) -> None:
    since = {line["fields"]["changeset"] for line in lines_of(chain, 2) if "historical" in line.get("model", "")}

    assert (chain.backups[2].base, chain.backups[2].since_changeset) == ("b1", numbers()[2])
    assert since == set(numbers()[3:])
    assert chain.backups[2].row_counts == data.facts("default").row_counts


def test_other_tables_come_along_when_they_changed_and_only_then(chain: Chain) -> None:
    User.objects.create_user("olga")
    chain.add()
    User.objects.all().delete()
    chain.restore(chain.backups)

    assert User.objects.get().username == "olga"
    replaced = [{line["replaced"] for line in lines_of(chain, number) if "replaced" in line} for number in (2, 3)]
    changesets = {"changesets.changeset"}
    if connection.vendor == "postgresql":
        changesets.add("changesets.changesettransaction")
    assert replaced == [changesets, {"auth.user"}]


def lines_of(chain: Chain, number: int) -> list[dict]:
    return [json.loads(line) for line in gzip.decompress((chain.folder / f"{number}.gz").read_bytes()).splitlines()]


def test_a_moment_is_what_was_finished_by_then(chain: Chain) -> None:
    second = Changeset.objects.get(pk=numbers()[1])

    chain.restore(plan_restore(chain.backups, second.finished_at), upto=second.finished_at)

    assert numbers()[-1] == second.pk
    assert set(Country.objects.values_list("name", flat=True)) == {"Zwei"}


def test_what_no_backup_reaches_is_refused(chain: Chain) -> None:
    with pytest.raises(NotReached, match=r"No incremental backup reaches changeset #\d+ from a backup before it"):
        plan_restore(chain.backups, numbers()[-1] + 1)
    with pytest.raises(NotReached, match="No incremental backup reaches 20"):
        plan_restore(chain.backups, timezone.now() + timedelta(days=1))
    with pytest.raises(NotReached, match="No incremental backup reaches 20"):
        plan_restore(chain.backups, chain.backups[0].created_at - timedelta(seconds=1))


def test_a_gap_in_the_chain_is_refused(chain: Chain) -> None:
    first, _, third = chain.backups

    with pytest.raises(ChainBroken, match="b2 goes on from b1, which is not there"):
        plan_restore([first, third], third.newest_changeset)


@pytest.mark.parametrize("order", [[0, 2], [0, 1, 1], [0, 1, 2, 1]])
def test_an_increment_is_restored_onto_nothing_but_its_base(chain: Chain, order: list[int]) -> None:
    *before, last = [chain.backups[number] for number in order]
    chain.restore(before)
    then = state()

    with pytest.raises(ChainBroken, match=r"goes on from b\d, up to changeset #\d+, and not from what is there"):
        chain.restore([last])
    assert state() == then


def test_a_changeset_before_the_increment_is_refused(chain: Chain) -> None:
    chain.restore(chain.backups[:2])

    with pytest.raises(NotReached, match="begins after changeset #"):
        chain.restore(chain.backups[2:], upto=numbers()[0])


def test_an_increment_of_a_newer_schema_is_refused(chain: Chain) -> None:
    chain.restore(chain.backups[:1])
    MigrationRecorder(connection).record_unapplied("base", "0001_initial")

    with pytest.raises(OtherSchema, match="is of tables as other migrations made them"):
        chain.restore(chain.backups[1:2])


def test_a_cut_off_increment_is_refused_and_nothing_is_written(chain: Chain) -> None:
    file = chain.folder / "2.gz"
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    file.write_bytes(gzip.compress(b"".join(lines[:-1])))
    chain.restore(chain.backups[:2])
    then = state()

    with pytest.raises(BackupUnreadable, match="its last line is missing"):
        chain.restore(chain.backups[2:])
    assert state() == then


def test_without_a_full_backup_there_is_nothing_to_go_on_from(using: str, folder: Path) -> None:
    with pytest.raises(NoBase, match="There is no full backup of this database as it is now"):
        create_backup(actor=None, reason="", kind="incremental", using=using)
    assert list_backups() == []


def test_nothing_goes_on_from_a_backup_that_did_not_restore(using: str, folder: Path) -> None:
    good = create_backup(actor=None, reason="", using=using)
    amend(create_backup(actor=None, reason="", using=using), verified="It is not whole.")

    assert create_backup(actor=None, reason="", kind="incremental", using=using).base == good.id


def test_proving_an_increment_finds_the_damaged_backup_under_it_and_the_next_one_goes_on_from_a_sound_one(
    using: str, folder: Path
) -> None:
    good = create_backup(actor=None, reason="", using=using)
    damaged = create_backup(actor=None, reason="", using=using)
    first = create_backup(actor=None, reason="", kind="incremental", using=using)
    with damaged.file.open("ab") as stream:
        stream.write(b"x")

    with pytest.raises(BackupAltered, match=damaged.id):
        verify(first, using=using)

    assert {each.id for each in list_backups() if each.is_bad} == {damaged.id, first.id}
    assert create_backup(actor=None, reason="", kind="incremental", using=using).base == good.id


def test_an_increment_that_somebody_made_go_on_from_itself_ends_in_a_sentence_and_not_never(
    using: str, folder: Path
) -> None:
    create_backup(actor=None, reason="", using=using)
    altered = create_backup(actor=None, reason="", kind="incremental", using=using)
    altered = amend(altered, base=altered.id)

    with pytest.raises(ChainBroken, match="which is not there"):
        needed_for(altered)
    # The next one goes on from what is sound.
    assert create_backup(actor=None, reason="", kind="incremental", using=using).base != altered.id


def test_after_a_pruning_a_new_full_backup_is_needed(using: str, folder: Path) -> None:
    Changeset.objects.using(using).create(kind="edit", counts={})
    create_backup(actor=None, reason="", kind="data", using=using)
    Changeset.objects.using(using).update(pruned_at=timezone.now())

    with pytest.raises(NoBase, match="a pruning"):
        create_backup(actor=None, reason="", kind="incremental", using=using)

    create_backup(actor=None, reason="", kind="data", using=using)
    assert create_backup(actor=None, reason="", kind="incremental", using=using).base
