"""Every page of the admin of a model that is declared in three files answers, for keys of all kinds."""

import re
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.urls import reverse

from apps.changesets.context import changeset
from apps.changesets.history import versions
from apps.changesets.history.recycle_bin import deleted_objects
from apps.changesets.pages.links import urls_of
from apps.changesets.revert import plan_revert, revert
from apps.changesets.tracking import tracked_for
from apps.imports.models import ImportRun, RunStatus
from tests.admin.bulk import newest
from tests.admin.runs import seen_on
from tests.second_domain.conftest import as_csv, row
from tests.second_domain.models import Operator, Station

pytestmark = pytest.mark.django_db
MODELS = {Operator: "SBB", Station: "BN"}


@pytest.fixture
def client(steward, browse_as):
    return browse_as(steward)


def url(model: type, page: str, *args: object) -> str:
    return reverse(f"admin:second_domain_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("page", ["changelist", "add", "as_of_list", "between", "import", "export", "corrections"])
def test_pages_of_the_list_answer(world, client, model, page):
    assert client.get(url(model, page)).status_code == 200


def test_a_search_finds_without_accents_whatever_the_case_and_ranks(world, client):
    Operator.objects.bulk_create(
        Operator(code=code, name=name) for code, name in [("X1", "Neue Öbb"), ("X2", "ÖBBahn"), ("öbb", "Bahn")]
    )

    listed = client.get(url(Operator, "changelist"), {"q": "obb"}).context["cl"].result_list

    assert [operator.code for operator in listed] == ["öbb", "X2", "X1"]
    assert "Neue Öbb (X1)" in client.get("/admin/search/", {"q": "ÖBB"}).content.decode()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("page", ["change", "delete", "history", "as_of"])
def test_pages_of_an_object_answer(world, client, model, page):
    answer = client.get(url(model, page, world[MODELS[model]].pk))

    assert answer.status_code == 200
    assert str(world[MODELS[model]]) in answer.content.decode()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("tool", ["backup", "restore", "undo_last_change"])
def test_buttons_of_an_object_answer(world, client, model, tool):
    address = reverse(
        f"admin:second_domain_{model._meta.model_name}_actions",
        kwargs={"pk": world[MODELS[model]].pk, "tool": tool},
    )

    assert client.get(address, follow=True).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_an_object_is_added_changed_and_its_versions_are_shown(world, client, model):
    given = {"code": "NEW", "name": "New", "operator": world["SBB"].pk, "active": "on", "reason": "a test"}
    client.post(url(model, "add"), given)
    made = model.objects.get(code="NEW")
    version = model.history.filter(**{model._meta.pk.attname: made.pk}).first()
    seen = {"seen_version": version.history_id}
    client.post(url(model, "change", made.pk), {**given, **seen, "name": "Newer"})
    newer = model.objects.get(code="NEW")

    pages = [
        url(model, "simple_history", made.pk, version.history_id),
        url(model, "go_back", made.pk, version.history_id),
    ]
    back = client.post(pages[1], {"field": "name", "reason": "no", "seen": _seen(client, pages[1])})

    assert newer.name == "Newer"
    assert [client.get(page).status_code for page in pages] == [200, 200]
    assert back.status_code == 302
    assert model.objects.get(code="NEW").name == "New"


def test_the_pages_of_a_changeset_and_its_revert_show_both_models(world, client):
    with changeset(kind="edit", actor=None) as made:
        Operator.objects.filter(code="SBB").update(name="CFF")
        Station.objects.filter(code="BN").update(opened="1860-05-01")
        world["UL"].delete()
    shown = client.get(reverse("admin:changesets_changeset_change", args=[made.pk])).content.decode()
    plan = client.get(reverse("admin:changesets_changeset_revert", args=[made.pk])).content.decode()
    file = client.get(reverse("admin:changesets_changeset_changes", args=[made.pk, "csv"]))

    assert "CFF" in shown
    assert "Swiss Federal Railways" in plan
    assert str(world["SBB"].pk) in b"".join(file.streaming_content).decode()


def test_changes_are_filtered_by_operator_and_found_by_key(world, client):
    with changeset(kind="edit", actor=None) as made:
        Station.objects.filter(code="BN").update(platforms=13)
        Station.objects.filter(code="UL").update(platforms=9)
        Operator.objects.filter(code="SBB").update(name="CFF")
    page, sbb = reverse("admin:changesets_changeset_change", args=[made.pk]), str(world["SBB"].pk)

    def shown(**asked: object) -> str:
        text = client.get(page, asked).content.decode()
        return text[text.index("<main") :]

    of_sbb = shown(model="second_domain.station", operator=sbb)
    by_key = shown(model="second_domain.operator", q=sbb[:14])

    assert ("Bern" in of_sbb, "Ulm" in of_sbb) == (True, False)
    assert "CFF" in by_key


def test_changesets_are_found_by_what_they_touched(world, client):
    with changeset(kind="edit", actor=None) as made:
        Station.objects.filter(code="BN").update(platforms=13)
    page = reverse("admin:changesets_changeset_changelist")

    def numbers(**asked: object) -> list[int]:
        return [found.pk for found in client.get(page, asked).context["cl"].result_list]

    assert made.pk in numbers(object="bn")
    assert numbers(object="bn", field="station.platforms")[0] == made.pk
    assert numbers(country=1) == []


@pytest.mark.parametrize("model", MODELS)
def test_the_recycle_bin_and_coming_back_answer(world, client, model):
    with changeset(kind="delete", actor=None):
        world["SBB"].delete()
    tracked = tracked_for(model)
    row_ids = [row.history_id for row in deleted_objects(tracked)]
    gone = url(model, "history", world[MODELS[model]].pk or _key_of_gone(model))

    shown = client.get(reverse("admin:changesets_recycle_bin") + f"?model={tracked.label}&q=e")
    plan = client.get(
        reverse("admin:changesets_recycle_bin_restore"), {"pick": [f"{tracked.label}:{key}" for key in row_ids]}
    )
    keep = client.get(url(model, "keep_deleted", row_ids[0]))

    assert [answer.status_code for answer in (shown, plan, keep, client.get(gone))] == [200] * 4


def _key_of_gone(model: type) -> object:
    return getattr(deleted_objects(tracked_for(model)).first(), model._meta.pk.attname)


def _seen(client, address: str) -> str:
    """Return the token of the plan that a page shows."""
    return re.search(r'name="seen" value="([^"]*)"', client.get(address).content.decode())[1]


@pytest.mark.parametrize("model", MODELS)
def test_an_export_gives_a_file(world, client, model):
    answer = client.post(url(model, "export"), {"format": "0"})

    text = b"".join(answer.streaming_content).decode()
    assert text.splitlines()[0].split(",")[:2] == (["id", "code"] if model is Operator else ["number", "code"])
    assert len(text.splitlines()) == model.objects.count() + 1


def test_a_file_is_uploaded_planned_decided_about_confirmed_and_undone(world, client, load):
    load(row("85-1", "BN", "Bern", platforms="12"), row("85-2", "BS", "Basel", opened="1854-12-19"))
    Station.objects.filter(code="BN").update(operator=world["DB"], opened="1858-06-16")
    before = list(Station.objects.order_by("pk").values())
    Operator.objects.create(code="BLS", name="BLS")
    rows = [
        row("85-1", "BN", "Bern HB", "BLS", opened="1860-05-01"),
        row("85-2", "BS", "Basel SBB", opened="1854-12-19"),
        row("85-3", "ZH", "Zürich", opened="1847-08-09", platforms="26"),
        row("85-4", "XX", "Nowhere", platforms="many"),
    ]
    file = SimpleUploadedFile("register.csv", as_csv(tuple(rows)).encode())
    client.post(url(Station, "import"), {"import_file": file, "source": "snapshot", "reason": "spring"})
    run = ImportRun.objects.get()
    page = f"/admin/imports/importrun/{run.pk}/"

    shown = client.get(f"{page}change/", {"bucket": "changed"}).content.decode()
    kept = run.rows.get(kept=True)
    client.post(f"{page}decide/", {"tick": kept.pk, "decision": "take"})
    run.refresh_from_db()
    client.post(f"{page}confirm/", {"seen": seen_on(client, run), "reason": "spring"})
    run.refresh_from_db()

    assert "Bern HB" in shown
    assert run.status == RunStatus.APPLIED, run.error
    bern = Station.objects.get(code="BN")
    assert (bern.name, bern.operator.code, str(bern.opened)) == ("Bern HB", "BLS", "1860-05-01")
    assert str(Station.objects.get(code="ZH").opened) == "1847-08-09"
    assert "not a whole number" in b"".join(client.get(f"{page}refused.csv").streaming_content).decode()
    revert(plan_revert([newest()]), actor=None, reason="undo")
    assert list(Station.objects.order_by("pk").values()) == before


def test_a_file_of_operators_is_uploaded_and_applied(world, client):
    file = BytesIO(b"code,name\nSBB,Swiss\nBLS,Bern-Loetschberg-Simplon\n")
    file.name = "operators.csv"
    client.post(url(Operator, "import"), {"import_file": file, "source": "corrections", "reason": "names"})
    run = ImportRun.objects.get()
    page = f"/admin/imports/importrun/{run.pk}/"

    client.post(f"{page}confirm/", {"seen": seen_on(client, run), "reason": "names"})
    run.refresh_from_db()

    assert run.status == RunStatus.APPLIED, run.error
    assert dict(Operator.objects.values_list("code", "name"))["BLS"] == "Bern-Loetschberg-Simplon"
    assert client.get(page, follow=True).status_code == 200


@pytest.mark.parametrize(("model", "field"), [(Operator, "name"), (Station, "operator"), (Station, "opened")])
def test_fields_are_pinned_on_their_page(world, client, model, field):
    obj = world[MODELS[model]]
    address = url(model, "pin", obj.pk, field)

    shown = client.get(address)
    client.post(address, {"note": "we counted"})

    assert shown.status_code == 200
    assert "we counted" in client.get(address).content.decode()
    assert client.get(url(model, "change", obj.pk)).status_code == 200
    assert "we counted" in client.get(url(model, "corrections")).content.decode()


def test_what_upstream_says_stands_beside_links_and_days(world, client, load):
    load(row("85-1", "BN", "Bern", "SBB", opened="1860-05-01"))
    Station.objects.filter(code="BN").update(operator=world["DB"], opened="1858-06-16")

    change = client.get(url(Station, "change", world["BN"].pk)).content.decode()
    corrections = client.get(url(Station, "corrections")).content.decode()
    file = b"".join(client.get(url(Station, "corrections_file")).streaming_content).decode()

    assert "upstream says Swiss Federal Railways (SBB)" in change
    assert "Swiss Federal Railways (SBB)" in corrections
    assert ",opened,1858-06-16,1860-05-01," in file


def test_the_dashboard_and_the_list_of_changesets_answer(world, client):
    assert "stations" in client.get("/admin/").content.decode().lower()
    assert client.get(reverse("admin:changesets_changeset_changelist")).status_code == 200


def test_outsiders_are_refused(world, outsider, browse_as):
    browser = browse_as(outsider)

    assert {browser.get(url(model, page)).status_code for model in MODELS for page in ("changelist", "import")} == {403}


def test_a_form_keeps_what_was_typed_while_somebody_else_writes(world, client, monkeypatch):
    def locked(obj: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(versions, "lock_row", locked)

    answer = client.post(url(Operator, "change", world["SBB"].pk), {"name": "Typed", "code": "SBB"})

    assert answer.status_code == 503
    assert 'value="Typed"' in answer.content.decode()
    assert "Somebody else is writing right now" in answer.content.decode()


def test_a_key_that_an_object_had_leads_to_it_under_its_new_one(world):
    bern, basel, ulm = (world[code].pk for code in ("BN", "BS", "UL"))
    with changeset(kind="import", actor=None) as renaming:
        Station.objects.filter(pk=bern).update(id=901)
        Station.objects.filter(pk=basel).update(id=bern)
        Station.objects.filter(pk=ulm).delete()

    def leads(**named: int) -> list[str]:
        urls = urls_of(tracked_for(Station).label, map(str, (bern, basel, ulm)), **named)
        return [url.removeprefix("/admin/second_domain/station/") for url in urls.values()]

    assert leads() == [f"{bern}/change/", f"{bern}/change/", f"{ulm}/history/"]
    first = Station.history.filter(history_type="+").earliest("history_id").changeset_id
    assert leads(changeset=first) == ["901/change/", f"{bern}/change/", f"{ulm}/history/"]
    assert leads(changeset=renaming.pk)[1:] == [f"{bern}/change/", f"{ulm}/history/"]
