"""Who may do which bulk action: what is not offered to a person answers 403 when it is posted."""

import pytest

from apps.airports.models import Airport
from apps.base.models import City, Country
from tests.admin.bulk import LISTS, act, all_rows, confirm

pytestmark = pytest.mark.django_db

PEOPLE = ("viewer", "editor", "importer", "steward", "approver")
EDITORS, IMPORTERS, STEWARDS = PEOPLE[1:], PEOPLE[2:], PEOPLE[3:]
# list -> action -> who may
MAY = {
    "airport": {
        "clear_country": STEWARDS,
        "clear_city": STEWARDS,
        "clear_iata": STEWARDS,
        "resolve_duplicates": STEWARDS,
        "set_active": EDITORS,
        "set_inactive": EDITORS,
        "relink": IMPORTERS,
        "delete_recent_import": STEWARDS,
        "delete_selected": STEWARDS,
    },
    "country": {
        "clear_country": STEWARDS,
        "set_active": EDITORS,
        "set_inactive": EDITORS,
        "relink": IMPORTERS,
        "delete_recent_import": STEWARDS,
        "delete_selected": STEWARDS,
    },
    "city": {
        "clear_city": STEWARDS,
        "merge_city": STEWARDS,
        "set_active": EDITORS,
        "set_inactive": EDITORS,
        "relink": IMPORTERS,
        "delete_recent_import": STEWARDS,
        "delete_selected": STEWARDS,
    },
}
CASES = [(name, action) for name, actions in MAY.items() for action in actions]


@pytest.fixture
def keys(places) -> dict[str, str]:
    return {"airport": "KDEN", "country": str(places["usa"].pk), "city": str(places["denver"].pk)}


@pytest.mark.parametrize("who", [*PEOPLE, None])
def test_each_action_is_for_those_who_may(who, keys, make_person, browse_as):
    client = browse_as(make_person("somebody", group=who))

    answers = {(name, action): act(client, LISTS[name], action, [keys[name]]).status_code for name, action in CASES}

    assert answers == {(name, action): 200 if who in MAY[name][action] else 403 for name, action in CASES}


@pytest.mark.parametrize("who", PEOPLE)
def test_a_confirmation_is_not_a_way_around(who, keys, make_person, browse_as):
    client = browse_as(make_person("somebody", group=who))
    before = all_rows(Airport), all_rows(City), all_rows(Country)

    for name, action in CASES:
        if who not in MAY[name][action]:
            assert confirm(client, LISTS[name], action, [keys[name]]).status_code == 403
            assert confirm(client, LISTS[name], action, select_across="1").status_code == 403

    assert (all_rows(Airport), all_rows(City), all_rows(Country)) == before


@pytest.mark.parametrize("who", PEOPLE)
def test_the_list_offers_what_a_person_may(who, keys, make_person, browse_as):
    client = browse_as(make_person("somebody", group=who))

    for name, actions in MAY.items():
        page = client.get(LISTS[name]).content.decode()
        offered = {action for action in actions if f'<option value="{action}">' in page}
        assert offered == {action for action, may in actions.items() if who in may}
