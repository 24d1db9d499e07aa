"""Every action of every list takes the same few queries for forty objects and for some hundred."""

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.airports.models import Airport
from apps.airports.pages.bulk_actions import AIRPORT, CITY, COUNTRY
from apps.base.models import City, Country
from apps.changesets.context import changeset
from apps.changesets.pages.bulk_registry import actions_of
from tests.admin.bulk import confirm, list_of

# At most 32, of which one comes after the commit: whether the findings are being counted anew.
MOST = 31
# PostgreSQL takes its locks in a savepoint, so that it can let go of them and wait.
LOCKING = 2 if connection.vendor == "postgresql" else 0
# What the rows are narrowed to, where not every row will do: countries that airports point to cannot be deleted.
FILTERS = {(COUNTRY, "delete_selected"): "?active__exact=0", (CITY, "merge_city"): "?country__id__exact={usa}"}
# What some actions ask for.
POSTED = {"merge_city": {"target": "Town 1"}, "set_field": {"field": "name", "how": "upper"}}
MODELS = {AIRPORT: Airport, COUNTRY: Country, CITY: City}


def make_world(number: int) -> Country:
    """Make so many airports, cities and countries; in every action there is something to do for most of them."""
    with changeset(kind="import", actor=None):
        usa = Country.objects.create(iso_code="US", name="United States")
        Country.objects.bulk_create(
            Country(iso_code=f"{n:02x}", name=f"Land {n}", slug=f"l{n}", active=n % 2 == 0)
            for n in range(min(number, 200))
        )
        lands = list(Country.objects.filter(active=False))
        City.objects.bulk_create(
            City(country=usa if n % 2 else lands[n % len(lands)], name=f"Town {n}", slug=f"t{n}", active=n % 3 > 0)
            for n in range(number)
        )
        towns = list(City.objects.all())
        Airport.objects.bulk_create(
            Airport(
                ident=f"A{n}",
                source_id=n,
                name="x",
                airport_type="heliport",
                iata_code=f"C{n // 2}",
                iso_country="US",
                municipality=f"Town {n} (East)",
                country=usa if n % 3 else None,
                city=towns[n] if n % 5 else None,
                active=n % 2 == 0,
            )
            for n in range(number)
        )
    return usa


def queries_of_all(client, usa: Country) -> dict[tuple[str, str], int]:
    numbers = {}
    for label, model in MODELS.items():
        for name in actions_of(label):
            address = list_of(model) + FILTERS.get((label, name), "").format(usa=usa.pk)
            with transaction.atomic(), CaptureQueriesContext(connection) as queries:
                answer = confirm(client, address, name, select_across="1", **POSTED.get(name, {}))
                transaction.set_rollback(True)
            assert "/changesets/changeset/" in getattr(answer, "url", ""), (label, name)
            numbers[label, name] = len(queries)
    return numbers


def test_the_number_of_queries_does_not_grow(steward, browse_as):
    client, numbers = browse_as(steward), []
    for rows in (40, 300):
        with transaction.atomic():
            numbers.append(queries_of_all(client, make_world(rows)))
            transaction.set_rollback(True)

    assert numbers[0] == numbers[1]
    assert {action: number for action, number in numbers[0].items() if number > MOST + LOCKING} == {}
