"""One cell of the matrix: an address asked by a method as somebody, what it wrote and what it showed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client

from apps.changesets.models import Changeset, StoredPlan, StoredRow
from apps.changesets.tracking import tracked_models
from tests.matrix.world import SEEN_BY, TRACKED, seen_by, sign

METHODS = ("get", "head", "post", "put", "delete")
STATUSES = {200, 204, 302, 304, 400, 403, 404, 405}
# Authors, who are never changed afterwards.
AUTHORS = {"actor_id", "actor_name", "created_at", "confirmed_by_id", "confirmed_by_name", "confirmed_at"}
# What a form of ours asks for, and what nobody may set.
FORGED = {
    "reason": "because",
    "change_reason": "because",
    "confirm": "yes",
    "action": "pin",
    "comment": "fine",
    "text": "said",
    "about": "changeset:1001",
    "author": "1",
    "actor": "1",
    "actor_name": "forged",
    "created_at": "2001-01-01",
    "reviewed_by": "1",
    "reviewed_by_name": "forged",
    "confirmed_by": "1",
    "confirmed_by_name": "forged",
    "hanging": "yes",
    "field": "name",
    "until": "2099-01-01",
}
WRITES = re.compile(r'\s*(?:INSERT INTO|INSERT OR \w+ INTO|UPDATE|DELETE FROM)\s+"?([\w.]+)"?', re.IGNORECASE)
# Which permission lets a person write rows of what is not tracked; tracked models ask add, change and delete.
WRITERS: dict[str, tuple[str, ...]] = {
    "changesets.changeset": ("changesets.review_changeset",),
    **{f"changesets.{name}": SEEN_BY[Changeset] for name in ("comment", "feedtoken", "follow", "digest")},
    "imports.pin": ("imports.add_pin", "imports.delete_pin"),
    "quality.acceptedfinding": ("quality.accept_findings",),
    "quality.tally": ("quality.accept_findings",),
    **{f"imports.{name}": ("imports.approve_importrun",) for name in ("importrun", "plannedrow", "refusedcell")},
    "imports.headermapping": ("imports.approve_importrun",),
    "django_tasks_database.dbtaskresult": ("imports.approve_importrun",),
}
IMPORTS = {f"{tracked.model._meta.app_label}.import_{tracked.name}" for tracked in tracked_models()}
HISTORIES = {tracked.history_model._meta.label_lower for tracked in tracked_models()}
# What the recording keeps beside a change of a tracked model, and Django of who did it.
BESIDE = HISTORIES | {"changesets.changesettransaction", "admin.logentry", "changesets.changeset_reverts"}
Rows = dict[str, dict[Any, dict[str, Any]]]


@dataclass
class Cell:
    """What came of it: the status, and what is wrong in words."""

    status: int
    complaints: list[str] = field(default_factory=list)
    written: set[str] = field(default_factory=set)


class Matrix:
    """Asks cells in the world as it is now: each is taken back."""

    def __init__(self, browsers: dict[str, Client], addresses: dict[str, str]) -> None:
        self.browsers, self.addresses = browsers, addresses
        self.people = {name: _person(name) for name in browsers}
        self.hidden = {
            name: [sign(model).strip() for model in (*TRACKED, *SEEN_BY) if not seen_by(person, model)]
            for name, person in self.people.items()
        }
        self.before = rows()

    def ask(self, address: str, method: str, who: str) -> Cell:
        """Ask one address by one method as somebody, look what it did, and take it back."""
        body = {"data": FORGED} if method == "post" else {}
        with transaction.atomic(), _watched() as written:
            response = getattr(self.browsers[who], method)(address, **body)
            text = _text(response)
            cell = Cell(response.status_code)
            # Reading all rows takes long, and most cells write nothing.
            if written:
                self._judge(cell, method, self.people[who])
            transaction.set_rollback(True)
        if cell.status not in STATUSES:
            cell.complaints.append(f"status {cell.status}")
        if leaks := [value for value in self.hidden[who] if value in text]:
            cell.complaints.append(f"shows {' and '.join(leaks)}")
        return cell

    def _judge(self, cell: Cell, method: str, person: Any) -> None:
        after = rows()
        cell.written = {label for label in after if after[label] != self.before[label]}
        if cell.written and (method != "post" or cell.status in (403, 405)):
            cell.complaints.append(f"{method.upper()} {cell.status} wrote {', '.join(sorted(cell.written))}")
            return
        lacking = [words for label in cell.written for words in self._lacking(label, after, person)]
        if lacking:
            cell.complaints.append(f"wrote without permission: {', '.join(sorted(lacking))}")

    def _lacking(self, label: str, after: Rows, person: Any) -> Iterator[str]:
        """Yield what the person did to rows of a model and may not do."""
        old, new = self.before[label], after[label]
        both = [key for key in old.keys() & new.keys() if old[key] != new[key]]
        for key in both:
            changed = (name for name in AUTHORS & old[key].keys() if old[key][name] != new[key][name])
            yield from (f"{label}.{name} of another" for name in changed)
        app, _, name = label.partition(".")
        if label in {model._meta.label_lower for model in TRACKED}:
            did = {"add": new.keys() - old.keys(), "delete": old.keys() - new.keys(), "change": both}
            lacking = (verb for verb, keys in did.items() if keys and not person.has_perm(f"{app}.{verb}_{name}"))
            yield from (f"{verb} {label}" for verb in lacking)
        elif label == "imports.importrun" and all(old[key]["actor_id"] == person.pk for key in both):
            # Who uploaded a file decides about it.
            yield from () if person.get_all_permissions() & IMPORTS and len(old) == len(new) else (label,)
        elif label not in BESIDE and not person.is_superuser:
            tracked_too = label == "changesets.changeset" and after["changesets.changeset"].keys() > old.keys()
            if not tracked_too and not any(person.has_perm(given) for given in WRITERS.get(label, ())):
                yield label


def rows() -> Rows:
    """Return every row of every table but sessions and stored plans, by model and key."""
    shown = (Session, StoredPlan, StoredRow)
    every: list[type[Model]] = [model for model in apps.get_models(include_auto_created=True) if model not in shown]
    models = [model for model in every if model._meta.managed and not model._meta.proxy]
    return {m._meta.label_lower: {row[m._meta.pk.attname]: row for row in m._base_manager.values()} for m in models}


def _person(name: str) -> Any:
    return User.objects.filter(username=name).first() or AnonymousUser()


@contextmanager
def _watched() -> Iterator[list[str]]:
    """Give the tables that are written, temporary ones left out."""
    written: list[str] = []
    tables = set(connection.introspection.django_table_names()) - {Session._meta.db_table}

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        if (found := WRITES.match(sql)) and found[1] in tables:
            written.append(found[1])
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        yield written


def _text(response: Any) -> str:
    body = b"".join(response) if response.streaming else response.content
    return body.decode(errors="replace")
