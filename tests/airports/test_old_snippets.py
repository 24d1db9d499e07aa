"""The snippets of the runbook that this project grew from, typed into a shell: they work, and come back by revert."""

from textwrap import dedent

import pytest
from django.core.management import call_command
from django.core.management.commands.shell import Command as Shell
from django.db.models import ProtectedError

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.context import changeset
from apps.changesets.models import Changeset, Kind
from apps.changesets.revert import plan_revert, revert
from tests.changesets.conftest import World, no_drift, tables, world  # noqa: F401 - fixtures

AIRPORT = "from apps.airports.models import Airport\n"
COUNTRY = "from apps.base.models import Country\n"
RELINK = """
    from apps.airports.services.integration import AirportLocationIntegrator
    integrator = AirportLocationIntegrator()
    from apps.airports.models import Airport
    for airport in Airport.objects.filter(country=None):
        location = integrator.link_location(
            airport.iso_country,
            airport.municipality,
            airport.latitude_deg,
            airport.longitude_deg
        )
        airport.country = location.country
        airport.city = location.city
        airport.save()
"""
DUPLICATES = """
    from apps.airports.models import Airport
    from django.db.models import Count
    dupes = Airport.objects.values('iata_code').annotate(
        count=Count('ident')).filter(count__gt=1, iata_code__isnull=False)
    for iata in dupes:
        code = iata['iata_code']
        keep = Airport.objects.filter(iata_code=code, airport_type='large_airport').first()
        if keep:
            Airport.objects.filter(iata_code=code).exclude(ident=keep.ident).delete()
"""
RECENT = """
    from apps.airports.models import Airport
    from django.utils import timezone
    cutoff = timezone.now() - timezone.timedelta(hours=1)
    recent = Airport.objects.filter(created_at__gte=cutoff)
    print(f"Found {recent.count()} recent airports")
    recent.delete()
"""
SNIPPETS = {
    "all deleted": AIRPORT + "Airport.objects.all().delete()",
    "links cleared": AIRPORT + "Airport.objects.update(country=None, city=None)",
    "countries cleared": AIRPORT + "Airport.objects.update(country=None)",
    "a country deleted": AIRPORT + "Airport.objects.filter(iso_country='US').delete()",
    "a row deleted": AIRPORT + "Airport.objects.filter(ident='KDEN').delete()",
    "bad rows deleted": AIRPORT + "bad = Airport.objects.filter(latitude_deg__gt=41)\nbad.delete()",
    "recent ones deleted": RECENT,
    "relinked": "Airport.objects.update(country=None, city=None)\n" + dedent(RELINK),
    "duplicates resolved": DUPLICATES,
    "cities deleted": "from apps.base.models import City\nCity.objects.all().delete()",
}


def shell(snippet: str) -> None:
    """Run what somebody types into `manage.py shell`."""
    exec(compile(dedent(snippet), "<shell>", "exec"), Shell().get_namespace())


@pytest.fixture
def places(world: World) -> World:  # noqa: F811
    """The world of the changesets; two of its airports share an IATA code, and one of them is large."""
    with changeset(kind="edit", actor=None):
        Airport.objects.filter(pk="KDEN").update(iata_code="DEN", airport_type="large_airport")
        Airport.objects.filter(pk="KAPA").update(iata_code="DEN")
    return world


@pytest.mark.parametrize("snippet", SNIPPETS.values(), ids=SNIPPETS.keys())
def test_a_snippet_is_recorded_and_comes_back_by_revert(snippet: str, places: World, no_drift):  # noqa: F811
    before = without_time_stamps()

    shell(snippet)

    no_drift()
    direct = list(Changeset.objects.filter(kind=Kind.DIRECT))
    assert direct
    revert(plan_revert(direct), actor=None)
    assert without_time_stamps() == before
    no_drift()


def without_time_stamps() -> dict[str, list[tuple]]:
    """Return every value of the three tables but when they were written: fixtures cut that to milliseconds."""
    stamps = {"created_at", "updated_at"}
    return {
        model.__name__: list(
            model.objects.order_by("pk").values_list(
                *(field.attname for field in model._meta.concrete_fields if field.name not in stamps)
            )
        )
        for model in (Country, City, Airport)
    }


def test_the_relink_loop_restores_every_link(places: World):
    links = list(Airport.objects.values_list("pk", "country", "city"))
    with changeset(kind="bulk_action", actor=None):
        Airport.objects.update(country=None, city=None)

    shell(RELINK)

    assert list(Airport.objects.values_list("pk", "country", "city")) == links


def test_the_duplicates_snippet_keeps_the_large_airport(places: World):
    shell(DUPLICATES)

    assert list(Airport.objects.values_list("pk", flat=True)) == ["KBDU", "KDEN"]


def test_a_country_is_deleted_once_nothing_points_to_it_and_comes_back(places: World, no_drift):  # noqa: F811
    before = tables()
    detach = AIRPORT + COUNTRY + "Airport.objects.filter(country__iso_code='US').update(country=None)\n"

    with pytest.raises(ProtectedError):
        shell(detach + "Country.objects.get(iso_code='US').delete()")
    shell(detach + "City.objects.all().delete()\nCountry.objects.get(iso_code='US').delete()")

    assert not Country.objects.exists()
    revert(plan_revert(list(Changeset.objects.filter(kind=Kind.DIRECT))), actor=None)
    assert tables() == before
    no_drift()


@pytest.mark.parametrize(
    "labels", [["airports.Airport"], ["base.Country", "base.City"], ["base", "airports.Airport"]], ids=" ".join
)
def test_a_fixture_of_what_is_there_now_brings_deleted_rows_back(labels, places: World, tmp_path, no_drift):  # noqa: F811
    before, file = without_time_stamps(), str(tmp_path / "fixture.json")
    labels = [label for name in labels for label in (["base.Country", "base.City"] if name == "base" else [name])]
    call_command("dumpdata", *labels, "--indent", "2", "-o", file, verbosity=0)
    if "airports.Airport" in labels:
        Airport.objects.all().delete()
    if "base.City" in labels:
        Airport.objects.update(city=None, country=None)
        City.objects.all().delete()
        Country.objects.all().delete()

    call_command("loaddata", file, verbosity=0)

    no_drift()
    # A fixture of the places gives no links back.
    links = without_time_stamps().pop("Airport") == before.pop("Airport")
    assert links == ("airports.Airport" in labels)
    assert {name: rows for name, rows in without_time_stamps().items() if name in before} == before
