"""The addresses of the console's pages in the admin."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import quote
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html

from apps.changesets.acts.planned import Message, Outcome
from apps.changesets.models import Changeset, Visitor
from apps.changesets.processes.locking import remark_on
from apps.changesets.revert.own_edit import is_own_edit
from apps.changesets.tracking import Tracked, tracked_by_name

REVERT = "changesets.revert_changeset"
VIEW = "changesets.view_changeset"
REVIEW = "changesets.review_changeset"
UNDO_OWN = "Undo my edit…"


def changeset_url(pk: int) -> str:
    """Return the address of a changeset's page."""
    return reverse("admin:changesets_changeset_change", args=[pk])


def changeset_map_url(pk: int, *, data: bool = False) -> str:
    """Return the address of a changeset's map, or of the data of it."""
    return reverse(f"admin:changesets_changeset_map{'_data' if data else ''}", args=[pk])


def changesets_url() -> str:
    """Return the address of the list of changesets."""
    return reverse("admin:changesets_changeset_changelist")


def revert_url(pk: int) -> str:
    """Return the address of the plan of reverting a changeset."""
    return reverse("admin:changesets_changeset_revert", args=[pk])


def undo_own_url(pk: int) -> str:
    """Return the address where the person who made an edit undoes it."""
    return reverse("admin:changesets_changeset_undo", args=[pk])


def plan_url(pk: int) -> str:
    """Return the address of all rows of a stored plan."""
    return reverse("admin:changesets_changeset_plan", args=[pk])


def plan_work_url(pk: int, page: str = "work") -> str:
    """Return the address of what a worker does with a stored plan: the page, or "progress" or "stop" of it."""
    return reverse(f"admin:changesets_changeset_plan_{page}", args=[pk])


def row_url(pk: int, label: str, key: str) -> str:
    """Return the address of what a changeset did to one object, which stays right when the object is renamed."""
    return reverse("admin:changesets_changeset_row", args=[pk, label, key])


def download_url(pk: int, form: str) -> str:
    """Return the address of a changeset's changes as a file: csv or json."""
    return reverse("admin:changesets_changeset_changes", args=[pk, form])


def model_url(model: type[models.Model], page: str, *args: Any) -> str:
    """Return the address of a page that the admin of a model has: "changelist", "import", ..."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def object_url(model: type[models.Model], pk: Any, *, page: str = "change") -> str:
    """Return the address of an object's page in the admin."""
    return model_url(model, page, quote(pk))


def list_url(model: type[models.Model]) -> str:
    """Return the address of the list of a model's objects in the admin."""
    return model_url(model, "changelist")


def plan_button(address: str, words: str, css: str = "link-button", label: str = "") -> str:
    """Return the button that has the plan of a revert made and leads to it, where a link would make nothing.

    It stands in lists, tables and messages, and sends the form that every page has (`base_site.html`).
    """
    return format_html(
        '<button type="submit" form="plan-form" formaction="{}" class="{}"{}>{}</button>',
        address,
        css,
        format_html(' aria-label="{}"', label) if label else "",
        words,
    )


def urls_of(label: str, pks: Iterable[str], *, changeset: int | None = None) -> dict[str, str]:
    """Return the address for each key of a model: of the object, also under its new key, or of its history if gone.

    With a changeset, the keys are those that objects had in it: where a key is another object's by now, the address is
    that of the object which had it then. A key that is nobody's is that of who had it last. One query to three.
    """
    tracked = tracked_by_name(label)
    if tracked is None:
        return {}
    pks, stable = [*pks], tracked.stable_field
    of = stable.attname if stable is not None else "pk"
    had = _had(tracked, pks, of, changeset_id=changeset) if changeset is not None and stable is not None else {}
    by_pk, by_stable = _living(tracked, of, pks, had)
    gone = [pk for pk in pks if pk not in by_pk and pk not in had] if stable is not None else []
    if gone:
        last = _had(tracked, gone, of, history_type="-")
        had, by_stable = had | last, by_stable | (_living(tracked, of, [], last)[1] if last else {})
    now: dict[str, Any] = {pk: pk for pk in by_pk}
    now |= {pk: by_stable[key] for pk, key in had.items() if key in by_stable}
    return {pk: object_url(tracked.model, now.get(pk, pk), page="change" if pk in now else "history") for pk in pks}


def _living(
    tracked: Tracked, stable: str, pks: Iterable[str], had: Mapping[str, Any]
) -> tuple[set[str], dict[Any, Any]]:
    """Return which of the primary keys are in use, and the primary keys of living objects by their stable keys."""
    keys = {key for key in had.values() if key is not None}
    found = tracked.model._base_manager.filter(Q(pk__in=pks) | Q(**{f"{stable}__in": keys}))
    rows = list(found.values_list("pk", stable))
    wanted = {*pks}
    return {str(pk) for pk, _ in rows if str(pk) in wanted}, {key: pk for pk, key in rows if key is not None}


def _had(tracked: Tracked, pks: Iterable[str], stable: str, **which: Any) -> dict[str, Any]:
    """Return the stable key that the newest of some rows of history has under each key."""
    pk = tracked.model._meta.pk.attname
    rows = tracked.history_model._base_manager.filter(**{f"{pk}__in": pks}, **which).order_by("history_id")
    return {str(key): of for key, of in rows.values_list(pk, stable)}


def telling_key(label: str, pk: str) -> str:
    """Return the key where people know the object by it; a number that the database made says nothing."""
    tracked = tracked_by_name(label)
    return "" if tracked is None or isinstance(tracked.model._meta.pk, models.AutoField) else pk


def name_of(label: str, pk: str) -> str:
    """Return what an object is called, or was called last, if it is gone."""
    tracked = tracked_by_name(label)
    if tracked is None:
        return pk
    try:
        row = tracked.history_model.objects.filter(**{tracked.model._meta.pk.attname: pk}).first()
    except ValueError:
        return pk
    return pk if row is None else str(row.instance)


def outcome_message(user: Visitor, made: Changeset | None, sentence: str, *, undo: str = "Undo…") -> str:
    """Return a sentence about what was done, with links to the changeset that did it and to undoing it."""
    sentence = format_html("{} {}", sentence, again) if (again := remark_on(made)) else sentence
    if made is None:
        return sentence
    if user.has_perm(VIEW):
        sentence = format_html('{} <a href="{}">Review #{}</a>', sentence, changeset_url(made.pk), made.pk)
    if user.has_perm(VIEW) and user.has_perm(REVERT):
        return format_html("{} · {}", sentence, plan_button(revert_url(made.pk), undo))
    if is_own_edit(made, user):
        return format_html('{} · <a href="{}">{}</a>', sentence, undo_own_url(made.pk), UNDO_OWN)
    return sentence


def lead_to(
    user: Visitor, made: Changeset | None, sentence: str, *, back: tuple[str, str], undo: str = "Undo…"
) -> Outcome:
    """Lead to the page of the changeset that an act made; `back` is where the act was begun, and the words for it.

    Who may not see changesets is led back, and so is everybody where nothing was changed.
    """
    message = outcome_message(user, made, sentence, undo=undo)
    if made is None or not user.has_perm(VIEW):
        return Outcome(back[0], (Message(message, messages.INFO if made is None else messages.SUCCESS),))
    return Outcome(changeset_url(made.pk), (Message(format_html('{} · <a href="{}">{}</a>', message, *back)),))
