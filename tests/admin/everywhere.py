"""One world where each address of the admin has something to show; everybody who may come; all the rows there are."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client

from apps.airports.groups import GROUPS
from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.context import changeset
from apps.changesets.tracking import tracked_models
from apps.quality.models import AcceptedFinding
from apps.quality.rules import all_rules, rules_of
from tests.admin.addresses import addresses_of
from tests.admin.permission_table import PEOPLE
from tests.admin.runs import make_run, plan_rows
from tests.conftest import make_groups
from tests.second_domain.models import Operator, Station

MODELS = [tracked.model for tracked in tracked_models()]


@pytest.fixture
def clients(db, browse_as) -> dict[str, Client]:
    """One browser for each of the five groups, for staff without any, and for nobody at all."""
    make_groups()
    found = {"anonymous": Client()}
    for name in PEOPLE[1:]:
        person = User.objects.create_user(name, is_staff=True)
        if name in GROUPS:
            person.groups.add(Group.objects.get(name=name))
        found[name] = browse_as(person)
    return found


@pytest.fixture
def addresses(clients, places, planned) -> dict[str, str]:
    """Every address, about objects that are there: one of each table, one of each that is deleted, an import."""
    return addresses_of(world_about(places))


def world_about(places: dict[str, Any], *, sign: Callable[[type[Model]], str] = lambda model: "") -> dict[str, Any]:
    """Make what the addresses are about, and return their arguments; `sign` ends the names of a model's objects."""
    with changeset(kind="bulk_action", actor=None) as act:
        Airport.objects.filter(pk="EDDM").update(city=None)
        places["KBKF"].delete()
        City.objects.create(country=places["germany"], name=f"Ulm{sign(City)}").delete()
        Country.objects.create(iso_code="XX", name=f"Nowhere{sign(Country)}").delete()
        operator = Operator.objects.create(code="DB", name=f"Deutsche Bahn{sign(Operator)}")
        station = Station.objects.create(code="UL", name=f"Ulm{sign(Station)}", operator=operator)
        Station.objects.create(code="NU", name=f"Neu-Ulm{sign(Station)}", operator=operator).delete()
        Operator.objects.create(code="XX", name=f"Nobody{sign(Operator)}").delete()
        act.summary = {"bulk": {"model": "airports.airport", "selected": 1, "done": "", "left": [], "listed": []}}
    run = make_run(User.objects.get(username="importer"), summary={"sample": []})
    plan_rows(run)
    accepted = AcceptedFinding.objects.create(
        rule=rules_of("airports.airport")[0].code, model="airports.airport", object_key="pk:KDEN"
    )
    world: dict[str, Any] = {
        "feed": {"token": "none"},
        "": {"field": "name", "form": "csv", "app_label": "airports"},
        "changesets_changeset": {"pk": places["import"].pk, "object_id": places["import"].pk},
        "changesets_changeset_row": {"model": "airports.airport", "key": "id:3486"},
        "changesets_changeset_result": {"object_id": act.pk},
        "changesets_changeset_plan": {"pk": 999_999},
        "changesets_changeset_proposal": {"pk": 999_999},
        "imports_importrun": {"pk": run.pk, "object_id": run.pk},
        "backups_backup": {"name": "20260101-000000-full", "key": "nothing"},
        "quality_": {"code": all_rules()[0].code},
        "quality_withdraw": {"pk": accepted.pk},
        "auth_user": {"object_id": User.objects.first().pk, "id": User.objects.first().pk},
        "auth_group": {"object_id": Group.objects.first().pk},
        "django_tasks_database_dbtaskresult": {"object_id": 1},
        "axes_": {"object_id": 1},
        "otp_totp_": {"object_id": 1},
        "view_on_site": {"content_type_id": 1, "object_id": 1},
    }
    for obj in (places["KDEN"], places["usa"], places["denver"], operator, station):
        table, history = obj._meta.db_table, type(obj).history
        version = history.filter(**{obj._meta.pk.attname: obj.pk}).first().history_id
        gone = history.filter(history_type="-").first().history_id
        world[table] = {"object_id": obj.pk, "pk": obj.pk, "row": version, "args": (obj.pk, version)}
        world[f"{table}_keep_deleted"] = {"row": gone}
    return world


def everything() -> dict[str, list]:
    """Return every row of every table."""
    return {model._meta.label: list(model._base_manager.order_by("pk").values_list()) for model in apps.get_models()}
