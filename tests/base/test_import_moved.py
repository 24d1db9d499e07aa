"""Importing cities when the tables moved between plan and apply, and taking an import of cities back."""

import pytest
from django.core.management import call_command

from apps.base.models import City, Country
from apps.imports.plan.apply import apply_import

pytestmark = pytest.mark.django_db


def test_name_that_somebody_took_meanwhile_is_refused_not_written(plan_of, zurich):
    plan = plan_of("cities", "id,name", f"{zurich.pk},Bern")
    taken = City.objects.create(country=zurich.country, name="Bern")

    opened = apply_import(plan, actor=None)

    zurich.refresh_from_db()
    assert (opened, zurich.name, taken.slug) == (None, "Zürich", "bern")


def test_city_that_somebody_made_meanwhile_is_not_made_again(plan_of, switzerland):
    plan = plan_of("cities", "country,name,population", "CH,Bern,5", "CH,Basel,6")
    bern = City.objects.create(country=switzerland, name="Bern")

    opened = apply_import(plan, actor=None)

    counts = opened.summary["counts"]
    assert (counts["created"], counts["updated"], counts["skipped"]) == (1, 0, 1)
    why = f"Bern (id {bern.pk}) has this country and name already"
    assert opened.summary["left_alone"] == [{"line": 2, "object_id": "", "why": why}]
    assert list(City.objects.order_by("pk").values_list("name", "population")) == [("Bern", None), ("Basel", 6)]


def test_what_somebody_did_meanwhile_is_not_counted_as_done(plan_of, switzerland):
    plan = plan_of("cities", "country,name", "CH,Bern")
    City.objects.create(country=switzerland, name="Bern")
    told = []

    opened = apply_import(plan, actor=None, settle=lambda done, _opened: told.append(done.counts))

    assert (opened, told[0]["created"], told[0]["skipped"]) == (None, 0, 1)


def test_slug_that_somebody_took_meanwhile_is_passed_over(plan_of, switzerland):
    plan = plan_of("cities", "country,name", "CH,Bérn")
    City.objects.create(country=switzerland, name="Bern")

    apply_import(plan, actor=None)

    assert City.objects.get(name="Bérn").slug == "bern-2"


def test_country_that_somebody_deleted_meanwhile_makes_the_row_refused(plan_of, switzerland):
    Country.objects.create(iso_code="DE", name="Germany")
    plan = plan_of("cities", "country,name", "CH,Bern", "DE,Berlin")
    Country.objects.filter(iso_code="DE").delete()

    opened = apply_import(plan, actor=None)

    assert list(City.objects.values_list("name", flat=True)) == ["Bern"]
    assert [(each["line"], each["why"]) for each in opened.summary["left_alone"]] == [
        (3, "there is no country with this iso code: add it first, or mend the code")
    ]


def test_import_of_cities_is_taken_back_whole(import_table, zurich):
    before = list(City.objects.values())
    _plan, opened = import_table("cities", "country,name,population", "CH,Zürich,7", "CH,Bern,8")

    call_command("rollback_airports", "--changeset", str(opened.pk), "--yes")

    after = [{**row, "updated_at": before[0]["updated_at"]} for row in City.objects.values()]
    assert after == before
