"""Asking for a backup, a proof or a restore, and watching how far it is."""

from typing import Any

from django.contrib import admin, messages
from django.db import connection
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse

from apps.backups.catalogue.manifests import Backup
from apps.backups.errors import BackupFailure
from apps.backups.pages.asking import CreateForm, RestoreForm
from apps.backups.pages.choosing import ChoiceForm, later_than, then_and_now
from apps.backups.pages.listing import answer, find_listed
from apps.backups.pages.words import kind_words, proof
from apps.backups.restore.point_in_time import in_words
from apps.backups.work import CREATE, FAILED, RESTORE, VERIFY, Work, begin, database_size, work_of
from apps.changesets.pages.actor import actor_of

TITLES = {CREATE: "Back up the database", VERIFY: "Prove that a backup restores", RESTORE: "Restore the database"}


def create_page(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Ask which sort (GET); make it (POST)."""
    form = CreateForm(request.POST) if request.method == "POST" else CreateForm()
    if form.is_bound and form.is_valid():
        asked = form.cleaned_data
        about = {"kind": asked["kind"], "label": asked["label"], "reason": asked["label"]}
        if address := _begin(request, CREATE, **about):
            return HttpResponseRedirect(address)
    return answer(model_admin, request, "create", {"title": TITLES[CREATE], "form": form})


def verify_view(model_admin: admin.ModelAdmin, request: HttpRequest, name: str) -> HttpResponse:
    """Prove that a backup restores (POST)."""
    backup, _here = _listed(name)
    address = _begin(request, VERIFY, backup=backup.id)
    return HttpResponseRedirect(address or list_url())


def restore_page(model_admin: admin.ModelAdmin, request: HttpRequest, name: str) -> HttpResponse:
    """Say what a restore would do (GET); do it once the name is typed and the reason given (POST)."""
    backup, here = _listed(name)
    choice = ChoiceForm(request, backup, here=here)
    possible = not choice.is_bound or choice.is_valid()
    form = RestoreForm(request.POST, wanted=name) if request.method == "POST" else RestoreForm(wanted=name)
    if possible and form.is_bound and form.is_valid():
        about = {"backup": name, "reason": form.cleaned_data["reason"], **choice.about}
        if address := _begin(request, RESTORE, **about):
            return HttpResponseRedirect(address)
    more = {
        "title": f"Restore {name}",
        "backup": backup,
        "here": here,
        "kind": kind_words(backup),
        "proof": proof(backup),
        "choice": choice,
        "possible": possible,
        "upto": "" if choice.limit is None else in_words(choice.limit),
        "form": form,
        "lines": then_and_now(choice) if possible else [],
        "later": later_than(choice) if possible else None,
        "engine_differs": backup.engine != connection.vendor and backup.kind != "data",
    }
    return answer(model_admin, request, "restore", more)


def download_view(model_admin: admin.ModelAdmin, request: HttpRequest, name: str) -> FileResponse:
    """Give the file of a backup that is here."""
    backup, here = _listed(name)
    if not here:
        raise Http404("This backup is only elsewhere: restore or verify it to bring it back.")
    return FileResponse(backup.file.open("rb"), as_attachment=True, filename=backup.path)


def work_page(model_admin: admin.ModelAdmin, request: HttpRequest, key: str) -> HttpResponse:
    """Show how far a piece of work is, or how it ended."""
    work = _work(key)
    more = {
        "title": TITLES[work.verb],
        "work": work,
        "failed": work.state == FAILED,
        "progress_url": reverse("admin:backups_backup_progress", args=[key]),
        "may_restore": request.user.has_perm("backups.restore_backup"),
        "may_verify": request.user.has_perm("backups.verify_backup"),
    }
    return answer(model_admin, request, "work", more)


def progress_view(model_admin: admin.ModelAdmin, request: HttpRequest, key: str) -> HttpResponse:
    """Tell the script of the page how far it is."""
    work = _work(key)
    told = {"status": work.state, "words": work.words, "numbers": "", "percent": None, "warning": "", "next": ""}
    return JsonResponse(told)


def list_url() -> str:
    """Return the address of the list of backups."""
    return reverse("admin:backups_backup_changelist")


def _begin(request: HttpRequest, verb: str, **about: Any) -> str:
    """Begin it, and return the address of its page; what stands in the way is told, and the address is empty."""
    try:
        # Also an increment of few bytes is restored together with what is under it.
        work = begin(verb, actor=actor_of(request), size=database_size(), **about)
    except BackupFailure as failure:
        messages.error(request, str(failure))
        return ""
    return reverse("admin:backups_backup_work", args=[work.id])


def _listed(name: str) -> tuple[Backup, bool]:
    try:
        return find_listed(name)
    except BackupFailure as failure:
        raise Http404(str(failure)) from failure


def _work(key: str) -> Work:
    if (work := work_of(key)) is None:
        raise Http404("Nothing of this name was asked for, or it was long ago.")
    return work
