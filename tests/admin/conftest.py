"""Rows and forms that the tests of the admin start from."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.context import Source, changeset
from apps.changesets.models import Changeset
from apps.imports.models import ImportRun
from apps.imports.pages import acting, importing, reading


@pytest.fixture(autouse=True)
def quick_passwords(settings) -> None:
    """Hash the passwords of the people here quickly: they are for tests only."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def places(db: None) -> dict[str, Any]:
    """Two countries, two cities and three airports, imported as one changeset from a file."""
    with changeset(
        kind="import", actor=None, reason="First import", source=Source("airports.csv", "ab" * 32, 4811)
    ) as cs:
        usa = Country.objects.create(iso_code="US", name="United States")
        germany = Country.objects.create(iso_code="DE", name="Germany")
        denver = City.objects.create(country=usa, name="Denver")
        munich = City.objects.create(country=germany, name="München")
        kden = _airport("KDEN", 3486, "Denver International Airport", usa, denver, iata_code="DEN", elevation_ft=5431)
        eddm = _airport("EDDM", 2212, "Munich Airport", germany, munich, iata_code="MUC", elevation_ft=1487)
        kbkf = _airport("KBKF", 3410, "Buckley Space Force Base", usa, denver)
    return {"usa": usa, "germany": germany, "denver": denver, "munich": munich, "import": cs} | {
        airport.pk: airport for airport in (kden, eddm, kbkf)
    }


def _airport(ident: str, source_id: int, name: str, country: Country, city: City, **more: Any) -> Airport:
    return Airport.objects.create(
        ident=ident,
        source_id=source_id,
        name=name,
        airport_type="large_airport",
        country=country,
        city=city,
        iso_country=country.iso_code,
        municipality=city.name,
        **more,
    )


@pytest.fixture
def only(outsider: User, browse_as: Callable[[User], Client]) -> Callable[..., Client]:
    """Return a function that gives Otto nothing but these permissions, and a browser."""

    def give(*names: str) -> Client:
        outsider.user_permissions.set(Permission.objects.filter(codename__in=names))
        return browse_as(outsider)

    return give


@pytest.fixture
def edit() -> Callable[..., Changeset]:
    """Return a function that changes an airport as somebody, as a changeset of its own."""

    def change(ident: str, *, actor: User | None = None, reason: str = "", **values: Any) -> Changeset:
        with changeset(kind="edit", actor=actor, reason=reason) as opened:
            airport = Airport.objects.get(pk=ident)
            for name, value in values.items():
                setattr(airport, name, value)
            airport.save()
        return opened

    return change


@pytest.fixture
def rename() -> Callable[[str, str], Changeset]:
    """Return a function that gives an airport another ident, as an import does."""

    def give(ident: str, other: str) -> Changeset:
        with changeset(kind="import", actor=None, reason="Renamed upstream") as opened:
            airport = Airport.objects.get(pk=ident)
            airport.delete()
            airport.pk = other
            airport.save(force_insert=True)
        return opened

    return give


@pytest.fixture
def open_form() -> Callable[..., dict[str, Any]]:
    """Return a function that opens a page with a form, and gives what its browser would post back."""

    def read(client: Client, address: str) -> dict[str, Any]:
        form = client.get(address).context["adminform"].form
        values = {name: form[name].value() for name in form.fields}
        return {name: "" if value is None else value for name, value in values.items() if value is not False}

    return read


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[ImportRun]:
    """The runs whose planning a page began; what planning does has tests of its own."""
    runs: list[ImportRun] = []
    for module in (acting, importing, reading):
        monkeypatch.setattr(module, "start_planning", runs.append)
    return runs
