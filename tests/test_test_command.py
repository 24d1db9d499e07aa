"""`manage.py test` runs the pytest suite of the apps that it is given; the tests of the runbook do so for two."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.management.base import CommandError
from django.test.utils import get_runner

from travelmathlite.testing import PytestRunner, folder_of_tests

ROOT = Path(__file__).resolve().parent.parent


def test_it_is_the_runner_of_the_test_command():
    assert get_runner(settings) is PytestRunner


@pytest.mark.parametrize(
    ("label", "found"),
    [
        ("apps.airports", "tests/airports"),
        ("apps.changesets.recording", "tests/changesets"),
        ("tests/base", "tests/base"),
        ("tests.airports.test_linking", "tests/airports/test_linking.py"),
        ("tests/airports/test_linking.py::test_x", "tests/airports/test_linking.py::test_x"),
    ],
)
def test_a_label_means_the_tests_of_an_app_or_a_part_of_the_suite(label: str, found: str):
    assert folder_of_tests(label) == str(ROOT / found)


@pytest.mark.parametrize("label", ["apps.planets", "apps", "apps/airports", "django.contrib.auth", ""])
def test_a_label_that_means_nothing_is_told_with_those_there_are(label: str):
    with pytest.raises(CommandError, match=r"There are no tests called .* \(apps.accounts, apps.airports,"):
        folder_of_tests(label)


def test_options_of_djangos_runner_are_passed_on():
    runner = PytestRunner(verbosity=2, failfast=True, keepdb=True, patterns=["link", "point"], durations=5)

    assert runner.arguments(["apps.base", "apps.base"])[1:] == [
        *(str(ROOT / "tests/base"), "--verbose", "-k", "link or point"),
        *("--durations=5", "--exitfirst", "--reuse-db"),
    ]


def test_without_labels_everything_runs():
    assert PytestRunner(verbosity=1).arguments([])[1:] == [str(ROOT / "tests")]
