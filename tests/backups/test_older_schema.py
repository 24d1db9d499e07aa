"""A portable backup from before a migration is compared by the columns that it had, and is never called bad."""

import gzip
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command

from apps.backups.catalogue.manifests import Backup, amend, list_backups
from apps.backups.creating import create_backup, sha256_of
from apps.backups.errors import NotTheSame
from apps.backups.portable.writing import RowsSum, encode
from apps.backups.restore.database import restore
from apps.backups.restore.verify import verify
from apps.imports.plan.pins import pin
from tests.second_domain.conftest import load, plan, row, world  # noqa: F401
from tests.second_domain.models import Station
from tests.second_domain.schemas import APP, both, rename, schemas  # noqa: F401

Change = Callable[[str, dict], None]
NEWER = ("second_domain.0002_step", "second_domain.0003_step")


@pytest.fixture
def backup(schemas, world, load) -> Backup:  # noqa: F811
    """A backup of kind data of stations with values of upstream, one of them pinned."""
    load(row("85-1", "BN", "Bern", platforms="12"), row("85-2", "BS", "Basel"))
    pin(Station.objects.get(code="BS"), "name", note="as the city writes it", actor=None)
    field = "models.CharField(max_length=9, null=True)"
    schemas(
        rename("name", "title") + ", " + both(f"migrations.AddField({{model}}, 'zone', {field})"),
        rename("title", "name") + ", " + both("migrations.RemoveField({model}, 'zone')"),
    )("0003")
    return create_backup(actor=None, reason="", kind="data")


def made_before(backup: Backup, change: Change) -> Backup:
    """Return the backup as it was before the migrations NEWER: each line changed, with the sums of those lines."""
    lines, sums = [], {}
    for line in gzip.decompress(backup.file.read_bytes()).splitlines():
        document = json.loads(line)
        change(document["model"], document["fields"])
        lines.append(f"{encode(document)}\n".encode())
        table = apps.get_model(document["model"])._meta.db_table
        sums.setdefault(table, RowsSum()).add(lines[-1])
    backup.file.write_bytes(gzip.compress(b"".join(lines)))
    return amend(
        backup,
        sha256=sha256_of(backup.file),
        size_bytes=backup.file.stat().st_size,
        contents={**backup.contents, **{table: of.content for table, of in sums.items()}},
        migrations=tuple(name for name in backup.migrations if name not in NEWER),
    )


def without_platforms(label: str, fields: dict) -> None:
    if label.endswith("station"):
        del fields["platforms"]


def with_title(label: str, fields: dict) -> None:
    if label.endswith("station"):
        fields["title"] = fields.pop("name")
        if fields["upstream"]:
            fields["upstream"]["title"] = fields["upstream"].pop("name")
    if label == "imports.pin":
        fields["field"] = "title"


def with_zone(label: str, fields: dict) -> None:
    if label.endswith("station"):
        fields["zone"] = "4"


@pytest.mark.parametrize(
    ("change", "more"),
    [
        # A name that is kept elsewhere is the hardest; the others are the same on both databases.
        (with_title, "."),
        pytest.param(without_platforms, ".", marks=pytest.mark.once),
        pytest.param(
            with_zone,
            f", without what migrations dropped since ({APP}.historicalstation.zone, {APP}.station.zone).",
            marks=pytest.mark.once,
        ),
    ],
)
def test_it_is_proved_with_the_name_of_the_first_migration_that_it_lacks(folder, backup, change, more):
    older = made_before(backup, change)

    proved = verify(older)

    assert proved.verified_at is not None
    assert proved.verified.startswith(
        f"Made before migration {NEWER[0]} and 1 more; all its rows are there. Restored into a scratch database: "
    )
    assert proved.verified.endswith(f"tables are the same{more}")
    call_command("backup", "prune", verbosity=0)
    assert older.id in [kept.id for kept in list_backups()]


def test_a_row_that_was_altered_in_it_is_found_all_the_same(folder, backup):
    older = made_before(backup, with_title)
    contents = {**older.contents, "second_domain_station": "0" * 32}

    with pytest.raises(NotTheSame, match="The rows of second_domain_station"):
        verify(amend(older, contents=contents))


def test_what_is_kept_under_a_former_name_follows_when_it_is_restored(folder, backup, tmp_path: Path):
    target = tmp_path / "restored.sqlite3"

    restore(made_before(backup, with_title), actor=None, into=str(target))

    with closing(sqlite3.connect(target)) as database:
        assert database.execute("SELECT field FROM imports_pin").fetchall() == [("name",)]
        names = database.execute("SELECT name, upstream ->> 'name' FROM second_domain_station ORDER BY code").fetchall()
    assert names == [("Bern", "Bern"), ("Basel", "Basel"), ("Ulm", None)]
