"""How far a point moved, in words and on a small map."""

import re

import pytest

from apps.changesets.history.moves import distance_km, in_words, small_map


@pytest.mark.parametrize(
    ("old", "new", "km"),
    [
        ((39.86, -104.67), (39.86, -104.67), 0),
        ((0, 0), (1, 0), 111.2),
        ((0, 179.5), (0, -179.5), 111.2),
        ((47.46, 8.55), (46.24, 6.11), 230.4),
        ((90, 0), (-90, 0), 20015.1),
    ],
)
def test_distance_goes_round_the_globe(old, new, km):
    assert distance_km(old, new) == pytest.approx(km, abs=0.6)


@pytest.mark.parametrize(
    ("km", "words"), [(0.012, "12 m"), (0.9999, "1.0 km"), (12.34, "12.3 km"), (1234.5, "1,234 km")]
)
def test_distance_reads_as_people_say_it(km, words):
    assert in_words(km) == words


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ((0, 0), (1, 0), "to the north"),
        ((0, 0), (0, -1), "to the west"),
        ((0, 0), (-1, 1), "to the south-east"),
        ((10, 179.9), (10, -179.9), "to the east"),
        ((0, 0), (0, 0.00001), "to the east"),
        ((89.9, 0), (-89.9, 170), "to the south-east"),
    ],
)
def test_the_map_says_where_to_and_stays_in_its_frame(old, new, where):
    drawn = small_map(old, new)

    assert where in drawn
    numbers = [float(number) for number in re.findall(r'c[xy]="([-\d.]+)"', drawn)]
    assert all(0 <= number <= 150 for number in numbers)
    assert "style" not in drawn
