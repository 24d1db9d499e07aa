"""Imports write with the rights of the person who confirmed them, asked when they are confirmed and when applied."""

import pytest
from django.contrib.auth.models import Permission

from apps.airports.models import Airport
from apps.imports.models import ImportRun, RunStatus
from apps.imports.results import ImportOptions
from apps.imports.runs.confirming import confirm_run, mark_of, why_not_confirm, why_not_decide
from apps.imports.runs.engine import apply_run

pytestmark = pytest.mark.django_db
IMPORTS = ("view_airport", "import_airport", "view_importrun")


@pytest.fixture
def only(outsider, django_user_model):
    """Return a function that gives Otto nothing but these permissions; the person comes back as logged in anew."""

    def give(*names: str):
        outsider.user_permissions.set(Permission.objects.filter(codename__in=names))
        return django_user_model.objects.get(pk=outsider.pk)

    return give


def test_who_may_not_view_a_model_imports_nothing_into_it(opened, only):
    run = opened(actor=only("import_airport"))

    assert why_not_decide(only("import_airport"), run) == "You need the permission to view airports."


def test_countries_and_cities_made_beside_airports_take_the_permission_to_add_them(planned, only):
    run = planned({"iso_country": "US", "municipality": "Denver"}, actor=only(*IMPORTS))

    assert why_not_confirm(only(*IMPORTS, "add_city"), run) == (
        "This would add countries: for that you need the permission base.add_country. Nothing was changed."
    )
    assert why_not_confirm(only(*IMPORTS, "add_city", "add_country"), run) is None


def test_a_file_that_makes_no_place_is_imported_with_the_permission_to_import(planned, only):
    person = only(*IMPORTS)
    run = planned(actor=person, options=ImportOptions(skip_links=frozenset({"country", "city"})))

    apply_run(confirm_run(run, actor=person, seen=mark_of(run)))

    assert Airport.objects.count() == 1


def test_deleting_what_is_missing_takes_the_permission_to_delete(planned, only, confirmed_and_applied):
    one, other = {"id": "1", "ident": "A1"}, {"id": "2", "ident": "A2"}
    confirmed_and_applied(planned(one, other))
    missing = ImportOptions(missing="delete", missing_limit=1.0)

    run = planned(one, actor=only(*IMPORTS), options=missing)

    assert "airports.delete_airport" in why_not_confirm(only(*IMPORTS), run)
    assert why_not_confirm(only(*IMPORTS, "delete_airport"), run) is None


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (("view_airport",), "otto, who confirmed this, may not do that any more. You need the permission to import"),
        (IMPORTS, "may not do that any more. This would add cities and add countries"),
    ],
)
def test_a_worker_asks_again_when_it_applies(planned, only, left, told):
    person = only(*IMPORTS, "add_city", "add_country")
    run = planned({"iso_country": "US", "municipality": "Denver"}, actor=person)
    run = confirm_run(run, actor=person, seen=mark_of(run))
    only(*left)

    apply_run(ImportRun.objects.get(pk=run.pk))

    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    assert told in run.error
    assert not Airport.objects.exists()


@pytest.mark.parametrize("gone", ["deleted", "inactive"])
def test_a_person_who_is_gone_imports_nothing(planned, operator, gone):
    run = planned(actor=operator)
    confirm_run(run, actor=operator, seen=mark_of(run))
    if gone == "deleted":
        operator.delete()
    else:
        type(operator).objects.filter(pk=operator.pk).update(is_active=False)

    apply_run(ImportRun.objects.get(pk=run.pk))

    assert ImportRun.objects.get(pk=run.pk).status == RunStatus.FAILED
    assert not Airport.objects.exists()
