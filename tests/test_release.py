"""The number of the release has one home, and the changelog says what the release asks of people."""

import re
from pathlib import Path

import pytest

from travelmathlite.version import version

ROOT = Path(__file__).resolve().parent.parent


def test_the_newest_release_of_the_changelog_is_this_one_and_says_what_to_do():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.findall(r"^## (\d+\.\d+\.\d+)\n\n(.+)", text, re.M)

    assert releases[0][0] == version()
    assert all(first.startswith("**What to do.**") for _number, first in releases)


def test_no_module_says_the_number_again():
    modules = [path for folder in ("apps", "travelmathlite") for path in ROOT.glob(f"{folder}/**/*.py")]

    assert not [path for path in modules if f'"{version()}"' in path.read_text(encoding="utf-8")]


@pytest.mark.django_db
def test_who_is_logged_in_sees_the_number_and_nobody_else_does(client, viewer, browse_as):
    inside = browse_as(viewer).get("/admin/").content.decode()
    outside = client.get("/admin/login/").content.decode()

    assert f"TravelMathLite {version()}" in inside
    assert version() not in outside
