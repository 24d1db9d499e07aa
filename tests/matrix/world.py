"""One world in which each model has values that stand nowhere else, and every address of the console about it."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from apps.airports.groups import GROUPS, create_groups
from apps.airports.models import Airport
from apps.backups.creating import create_backup
from apps.backups.models import Backup
from apps.backups.objects.making import back_up_object
from apps.base.models import City, Country
from apps.changesets.acts.comments import say
from apps.changesets.context import changeset
from apps.changesets.history.diff import changes_of
from apps.changesets.history.stable_key import row_key_of
from apps.changesets.models import Changeset
from apps.changesets.pages.links import row_url
from apps.changesets.revert import plan_revert, revert
from apps.changesets.tracking import tracked_by_label, tracked_models
from apps.imports.models import ImportRun, Pin, PlannedRow, RefusedCell
from apps.imports.plan.pins import pin
from apps.quality.models import AcceptedFinding, Finding
from tests.admin.addresses import addresses_of
from tests.admin.everywhere import world_about
from tests.second_domain.models import Station

TRACKED = [tracked.model for tracked in tracked_models()]
# What shows values of a model that is not tracked: any of these permissions.
SEEN_BY: dict[type[Model], tuple[str, ...]] = {
    Changeset: ("changesets.view_changeset",),
    ImportRun: ("imports.view_importrun",),
    Pin: ("imports.view_pin",),
    Finding: ("quality.view_findings",),
    Backup: ("backups.view_backups",),
}
# Who comes: nobody, members of no group and of each, a superuser, and people with nothing but these permissions.
LOOKS = [f"view_{model._meta.model_name}" for model in (Airport, City, Country, Station, Changeset, ImportRun, Pin)]
SINGLE: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in (*LOOKS, "view_findings", "view_backups", "revert_changeset", "review_changeset")},
    **{
        name: (name,)
        for name in ("change_airport", "delete_airport", "import_airport", "export_city", "accept_findings")
    },
    **{name: (name,) for name in ("restore_airport", "approve_importrun", "relink", "merge_city", "create_backup")},
    "reverts unseen": ("view_changeset", "revert_changeset"),
    "reverts airports": ("view_changeset", "revert_changeset", "view_airport"),
    "changes cities": (
        "view_changeset",
        "revert_changeset",
        "change_city",
        "add_city",
        "view_importrun",
        "view_findings",
    ),
    "airports alone": (
        *("view_airport", "change_airport", "add_airport", "delete_airport", "import_airport", "export_airport"),
        *("backup_airport", "restore_airport", "relink", "clear_links", "resolve_duplicates", "delete_recent_import"),
        *(
            "view_changeset",
            "revert_changeset",
            "view_importrun",
            "view_pin",
            "add_pin",
            "view_findings",
            "accept_findings",
        ),
    ),
    "all but cities": ("*",),
}
ROLES = ("anonymous", "outsider", *GROUPS, "superuser", *SINGLE)


def sign(model: type[Model]) -> str:
    """Return the value that stands in no other model."""
    return f" Zq{model._meta.model_name}"


def make_people() -> dict[str, Client]:
    """Return a browser for each role."""
    create_groups()
    browsers = {"anonymous": Client()}
    for name in ROLES[1:]:
        person = User.objects.create_user(name, is_staff=True, is_superuser=name == "superuser")
        if name in GROUPS:
            person.groups.set(person.groups.model.objects.filter(name=name))
        person.user_permissions.set(_permissions(SINGLE.get(name, ())))
        browsers[name] = Client(raise_request_exception=False)
        browsers[name].force_login(person)
    return browsers


def _permissions(names: tuple[str, ...]) -> Any:
    if names == ("*",):
        return Permission.objects.exclude(codename__endswith="_city").exclude(content_type__app_label="auth")
    return Permission.objects.filter(codename__in=names)


def seen_by(person: User, model: type[Model]) -> bool:
    """Whether the person may see values of a model: the rule, said once more in other words than the console's."""
    names = SEEN_BY.get(model) or tuple(
        f"{model._meta.app_label}.{v}_{model._meta.model_name}" for v in ("view", "change")
    )
    return person.is_active and any(name in person.get_all_permissions() for name in names)


def make_addresses() -> dict[str, str]:
    """Make the world, and return every address of the URLconf about it, and further ones with a query."""
    places = _places()
    world = world_about(places, sign=sign)
    world["changesets_changeset"] = {"pk": places["edit"].pk, "object_id": places["edit"].pk}
    run, kden = ImportRun.objects.get(pk=world["imports_importrun"]["pk"]), places["KDEN"]
    _sign_plan(run)
    pin(kden, "name", note=f"as signed{sign(Pin)}", actor=None)
    accepted = AcceptedFinding.objects.get(pk=world["quality_withdraw"]["pk"])
    accepted.reason, accepted.object_name = f"known{sign(Finding)}", str(kden)
    accepted.save()
    backup = create_backup(actor=None, reason="", label=sign(Backup).strip())
    world["backups_backup"] = {"name": backup.id, "key": "nothing"}
    own = back_up_object(kden, actor=None, reason="before the summer")
    return addresses_of(world) | _further(world, own.name, [made.pk for made in places["made"]])


def _places() -> dict[str, Any]:
    """Make countries, cities and airports as three changesets: an import, a change of all of them, and its revert."""
    with changeset(kind="import", actor=None, reason=f"First{sign(Changeset)}") as imported:
        usa = Country.objects.create(iso_code="US", name=f"United States{sign(Country)}")
        germany = Country.objects.create(iso_code="DE", name=f"Germany{sign(Country)}")
        denver = City.objects.create(country=usa, name=f"Denver{sign(City)}")
        munich = City.objects.create(country=germany, name=f"München{sign(City)}")
        airports = [
            _airport("KDEN", 3486, "Denver International", usa, denver, iata_code="DEN"),
            _airport("EDDM", 2212, "Munich", germany, munich, iata_code="MUC"),
            _airport("KBKF", 3410, "Buckley", usa, denver, iata_code="DEN"),
        ]
    with changeset(kind="bulk_action", actor=None, reason=f"Names{sign(Changeset)}") as edit:
        for obj in (usa, denver, airports[0]):
            type(obj).objects.filter(pk=obj.pk).update(name=f"New{sign(type(obj))}")
        Airport.objects.filter(pk="EDDM").update(city=denver, country=usa)
        edit.summary = {
            "bulk": {"model": "base.city", "selected": 1, "done": f"Merged into {sign(City)}.", "number": 1,
                     "sample": [sign(City)], "left": [], "listed": [["are named", 1, [sign(City)]]]}
        }  # fmt: skip
    undone = revert(plan_revert([edit]), actor=None, reason=f"Back{sign(Changeset)}")
    Airport.objects.filter(pk="KDEN").update(name=f"Written by SQL{sign(Airport)}")
    made = [imported, edit, undone, Changeset.objects.filter(kind="direct").latest("pk")]
    places = {"usa": usa, "germany": germany, "denver": denver, "munich": munich, "import": imported}
    # What is said about an object is for who may see it.
    for change in (change for about in (imported, edit) for change in changes_of(about)):
        text = f"Said{sign(tracked_by_label(change.model).model)}"
        say(imported, text, author=User.objects.first(), about=(tracked_by_label(change.model), change.after))
    return places | {"edit": edit, "made": made} | {airport.pk: airport for airport in airports}


def _airport(ident: str, source_id: int, name: str, country: Country, city: City, **more: Any) -> Airport:
    return Airport.objects.create(
        ident=ident, source_id=source_id, name=f"{name}{sign(Airport)}", airport_type="large_airport", country=country,
        city=city, iso_country=country.iso_code, municipality=f"Near{sign(Airport)}", elevation_ft=10,
        latitude_deg=39.0 + source_id / 1000, longitude_deg=-104.0, **more,
    )  # fmt: skip


def _sign_plan(run: ImportRun) -> None:
    run.reason, run.header = f"spring{sign(ImportRun)}", [*run.header, f"title{sign(Airport)}"]
    run.error = f"Line 8: {sign(Airport)}"
    run.save()
    for row in PlannedRow.objects.filter(run=run):
        row.label += sign(Airport)
        if row.changes:
            row.changes |= {"city": [City.objects.first().pk, None]}
        row.save()
    RefusedCell.objects.filter(run=run).update(value=sign(Airport), hint=sign(Airport))


def _further(world: dict[str, Any], own_backup: str, made: list[int]) -> dict[str, str]:
    """Return addresses whose query decides what is shown."""
    found: dict[str, str] = {}
    for number in made:
        for name in ("change", "map", "map_data", "revert"):
            found[f"{name} of {number}"] = reverse(f"admin:changesets_changeset_{name}", args=[number])
        for form in ("csv", "json"):
            found[f"changes of {number} as {form}"] = reverse("admin:changesets_changeset_changes", args=[number, form])
    everyone = reverse("admin:changesets_changeset_changelist")
    found["find"] = f"{everyone}?find=1&object=Zq"
    found["revert many"] = f"{reverse('admin:changesets_changeset_revert_many')}?since={made[0]}"
    for model in TRACKED:
        found |= _further_of(model, world, made)
    restore = reverse("admin:airports_airport_actions", kwargs={"pk": "KDEN", "tool": "restore"})
    found |= {"own backup": f"{restore}?backup={own_backup}", "its file": f"{restore}?backup={own_backup}&download=1"}
    return found


def _further_of(model: type[Model], world: dict[str, Any], made: list[int]) -> dict[str, str]:
    """Return the addresses about a tracked model whose query decides what is shown."""
    found: dict[str, str] = {}
    label, opts = model._meta.label_lower, model._meta
    history = next(tracked.history_model for tracked in tracked_models() if tracked.model is model)
    gone = history.objects.filter(history_type="-").first()
    page = f"admin:{opts.app_label}_{opts.model_name}_"
    for made_by in made[:2]:
        for change in changes_of(Changeset.objects.get(pk=made_by), model=label):
            found[f"row {change.pk} of {made_by}"] = row_url(
                made_by, label, row_key_of(tracked_by_label(label), change.after)
            )
    queries = {
        "changesets_changeset_change": (made[0], {"model": label, "q": "q", "op": "created"}),
        "changesets_changeset_map": (made[0], {"model": label}),
        "changesets_changeset_map_data": (made[0], {"model": label}),
        "changesets_changeset_revert": (made[1], {"model": label}),
    }
    for name, (pk, query) in queries.items():
        found[f"{name} {label}"] = f"{reverse(f'admin:{name}', args=[pk])}?{urlencode(query)}"
    found[f"bin {label}"] = f"{reverse('admin:changesets_recycle_bin')}?model={label}"
    pick = f"pick={label}:{gone.history_id}" if gone else ""
    found[f"bring back {label}"] = f"{reverse('admin:changesets_recycle_bin_restore')}?{pick}"
    key = world[opts.db_table]["pk"]
    found[f"name {label}"] = f"{reverse('admin:changesets_changeset_name_of')}?model={label}&key={key}"
    found[f"list {label}"] = f"{reverse(f'{page}changelist')}?q=zq"
    for when in ("now", f"before-{made[1]}"):
        found[f"{label} {when}"] = f"{reverse(f'{page}as_of_list')}?at={when}"
        found[f"{label} {when} csv"] = f"{reverse(f'{page}as_of_list')}?at={when}&format=csv"
    found[f"{label} between"] = f"{reverse(f'{page}between')}?from=before-{made[0]}&to=now"
    for link in opts.concrete_fields:
        if link.is_relation:
            query = {
                "app_label": opts.app_label,
                "model_name": opts.model_name,
                "field_name": link.name,
                "term": "zq",
            }
            found[f"autocomplete {label} {link.name}"] = f"{reverse('admin:autocomplete')}?{urlencode(query)}"
            found[f"guess {label} {link.name}"] = f"{reverse(f'{page}changelist')}?{link.name}__name__contains=Zq"
    if history_of_gone := gone and reverse(f"{page}history", args=[getattr(gone, opts.pk.attname)]):
        found[f"history of gone {label}"] = history_of_gone
    return found
