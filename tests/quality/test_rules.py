"""Each rule finds the row that breaks it, and leaves the one that nearly does."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db.models import Q

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.quality.findings import findings_of
from apps.quality.rules import Rule, Severity, all_rules, register_rules, rule_named

ROOT = Path(__file__).resolve().parent.parent.parent
# By rule, the values of an airport that breaks it, and of one that nearly does.
AIRPORTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "name_missing": ({"name": ""}, {"name": "A"}),
    "type_unknown": ({"airport_type": "spaceport"}, {"airport_type": "balloonport"}),
    "country_code_missing": ({"iso_country": ""}, {"iso_country": "CH"}),
    "position_missing": ({"longitude_deg": None}, {"longitude_deg": 0.0}),
    "municipality_missing": ({"municipality": ""}, {"municipality": "Å"}),
    "position_range": ({"latitude_deg": 90.1}, {"latitude_deg": -90.0, "longitude_deg": 180.0}),
    "position_zero": (
        {"latitude_deg": 0.01, "longitude_deg": -0.01},
        {"latitude_deg": 0.01, "longitude_deg": 9.3, "iso_country": "GA"},
    ),
    "position_swapped": (
        {"latitude_deg": 8.55, "longitude_deg": 47.46},
        {"latitude_deg": 45.95, "longitude_deg": 8.96},
    ),
    "position_country": (
        {"latitude_deg": 47.46, "longitude_deg": -8.55},
        {"iso_country": "US", "latitude_deg": 71.3, "longitude_deg": -156.8},
    ),
    "elevation_unlikely": ({"elevation_ft": 16_501}, {"elevation_ft": -1_266}),
    "iata_zero": ({"iata_code": "0"}, {"iata_code": None}),
    "null_word": ({"gps_code": "NULL"}, {"gps_code": None, "name": "Null Island"}),
    "iata_format": ({"iata_code": "BR-"}, {"iata_code": "BRN"}),
    "ident_damaged": ({"ident": "1.00E+07"}, {"ident": "1E7"}),
    "ident_characters": ({"ident": "LS\u0413\u0421"}, {"ident": "LS_1-a"}),
    "ident_lower": ({"ident": "lsXX"}, {"ident": "LS-XX"}),
    "country_unlinked": ({"country": None}, {"country": None, "iso_country": ""}),
    "country_mismatch": ({"iso_country": "DE"}, {}),
    "region_country": ({"iso_region": "DE-BW"}, {"iso_region": "CH-U-A"}),
    "region_name": ({"iso_region": "CH-Wallis"}, {"iso_region": "CH-VS"}),
    "city_unlinked": ({"city": None, "municipality": "Bern"}, {"city": None, "municipality": ""}),
    "city_country": ({"city": "Kehl"}, {"city": "Bern"}),
    "closed_active": ({"airport_type": "closed"}, {"airport_type": "closed", "active": False}),
    "name_spaces": ({"name": "Bern  Airport"}, {"name": "Bern Airport"}),
    "name_control": ({"municipality": "Be\x07rn"}, {"municipality": "Zürich / 東京"}),
    "name_parts": ({"municipality": "Zu\u0308rich"}, {"municipality": "Zürich ë m\u0303"}),
    "name_html": ({"name": "<b>Bern</b>"}, {"name": "Smith & Sons; 3 < 5 > 2"}),
}
# By rule, pairs of airports of which both break it, and pairs that nearly do.
PAIRS: dict[str, tuple[tuple[dict, dict], tuple[dict, dict]]] = {
    "iata_shared": (({"iata_code": "BRN"}, {"iata_code": "BRN"}), ({"iata_code": "0"}, {"iata_code": "0"})),
    "ident_case": (({"ident": "ls1"}, {"ident": "LS1"}), ({"ident": "LS1"}, {"ident": "LS2"})),
    "near_duplicate": (
        ({"name": "Belp"}, {"name": "BELP", "longitude_deg": 7.56}),
        ({"name": "Belp"}, {"name": "Belp", "longitude_deg": 7.57}),
    ),
    "position_shared": (
        ({"name": "Belp"}, {"name": "Bern"}),
        ({"name": "Belp"}, {"name": "Bern", "latitude_deg": 47.0}),
    ),
}
ELSEWHERE = {"city_unused", "city_range"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def cities() -> dict[str, City]:
    """Bern in Switzerland and Kehl in Germany."""
    swiss = Country.objects.create(iso_code="CH", name="Switzerland")
    german = Country.objects.create(iso_code="DE", name="Germany")
    return {
        "Bern": City.objects.create(country=swiss, name="Bern"),
        "Kehl": City.objects.create(country=german, name="Kehl"),
    }


def put(cities: dict[str, City], **values: Any) -> Airport:
    """Make an airport near Bern that breaks no rule but by the values given."""
    asked = {"ident": "LSZB", "name": "Bern", "municipality": "Bern", "iso_region": "", "city": "Bern", **values}
    given = {
        "airport_type": "small_airport",
        "iso_country": "CH",
        "latitude_deg": 46.9,
        "longitude_deg": 7.5,
        "country": cities["Bern"].country,
        **asked,
        "city": cities.get(asked["city"]),
    }
    return Airport.objects.create(**given)


def found(code: str) -> list[str]:
    return sorted(str(pk) for pk in findings_of(rule_named(code)).values_list("pk", flat=True))


@pytest.mark.parametrize("code", AIRPORTS)
def test_a_rule_finds_what_breaks_it_and_leaves_what_nearly_does(code: str, cities: dict):
    broken, near = AIRPORTS[code]
    bad = put(cities, **{"ident": "LSBAD", **broken})
    put(cities, **{"ident": "LSGOOD", "name": "Elsewhere", **near})

    assert found(code) == [bad.pk]


def test_what_nobody_sees_in_a_name_is_found(cities: dict):
    signs = ("\x07", "\u00ad", "\u200b", "\u202e", "\u2060", "\ufeff", "\ufffd")
    bad = [put(cities, ident=f"LS{place}", name=f"Belp{sign} {place}").pk for place, sign in enumerate(signs)]

    assert found("name_control") == bad


@pytest.mark.parametrize("code", PAIRS)
def test_a_rule_about_several_rows_finds_each_of_them(code: str, cities: dict):
    for (one, other), expected in zip(PAIRS[code], (2, 0), strict=True):
        Airport.objects.all().delete()
        put(cities, **{"ident": "LSONE", **one})
        put(cities, **{"ident": "LSTWO", **other})

        assert len(found(code)) == expected


def test_a_city_without_airports_is_found(cities: dict):
    put(cities)

    assert found("city_unused") == [str(cities["Kehl"].pk)]


def test_a_city_off_the_globe_is_found(cities: dict):
    City.objects.filter(name="Bern").update(latitude=90.0, longitude=-180.0)
    City.objects.filter(name="Kehl").update(latitude=95.0)

    assert found("city_range") == [str(cities["Kehl"].pk)]


def test_letters_in_two_parts_are_found_in_all_scripts(cities: dict):
    texts = ("Que\u0301bec", "\u212bre", "\u304b\u3099", "\u1112\u1161")
    bad = [put(cities, ident=f"LS{place}", name=text).pk for place, text in enumerate(texts)]

    assert found("name_parts") == bad


def test_each_rule_is_tried_here_and_told_in_the_reference():
    codes = {rule.code for rule in all_rules() if not rule.model.startswith("second_domain.")}
    reference = (ROOT / "docs" / "quality.md").read_text(encoding="utf-8")

    assert codes == {*AIRPORTS, *PAIRS, *ELSEWHERE}
    assert not [code for code in codes if f"`{code}`" not in reference]


def test_a_rule_about_a_model_without_history_or_page_is_shown_and_accepted(monkeypatch, make_person, browse_as):
    from apps.quality import rules

    monkeypatch.setattr(rules, "_rules", {})
    register_rules(
        Rule("type_odd", "contenttypes.contenttype", Severity.INFO, "Odd", "Odd", "why", "how", broken=Q(model="group"))
    )
    person = make_person("ed", group="editor")
    person.user_permissions.add(Permission.objects.get(codename="view_contenttype"))
    browser = browse_as(person)

    shown = browser.get("/admin/quality/finding/type_odd/")
    browser.post(
        "/admin/quality/finding/type_odd/accept/", {"tick": [shown.context["rows"][0]["key"]], "reason": "so it is"}
    )

    assert (len(shown.context["rows"]), found("type_odd")) == (1, [])


def test_a_project_adds_a_rule_of_its_own_or_takes_the_place_of_ours(cities: dict, monkeypatch: pytest.MonkeyPatch):
    from apps.quality import rules

    monkeypatch.setattr(rules, "_rules", dict(rules._rules))
    mine = Rule(
        "municipality_missing", "airports.airport", Severity.ERROR, "Required fields", "Ours", "why", "how",
        broken=lambda rows: rows.filter(municipality="Bern"),
    )  # fmt: skip
    register_rules(mine)
    put(cities)

    assert found("municipality_missing") == ["LSZB"]
    assert rule_named("municipality_missing").severity == Severity.ERROR
