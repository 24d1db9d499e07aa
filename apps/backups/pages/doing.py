"""Asking for a backup, a proof or a restore, and watching how far it is."""

from django.contrib import admin, messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse

from apps.backups.catalogue.journal import note
from apps.backups.catalogue.manifests import Backup
from apps.backups.errors import BackupFailure
from apps.backups.pages.acts import TITLES, MakeBackup, RestoreBackup, list_url
from apps.backups.pages.listing import answer, find_listed
from apps.backups.work import FAILED, VERIFY, Work, begin, work_of
from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.frame import answer as answer_act


def create_page(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Ask which sort (GET); make it (POST)."""
    return answer_act(MakeBackup(model_admin, request))


def verify_view(model_admin: admin.ModelAdmin, request: HttpRequest, name: str) -> HttpResponse:
    """Verify a backup (POST)."""
    backup, _here = _listed(name)
    try:
        work = begin(VERIFY, actor=actor_of(request), backup=backup.id)
    except BackupFailure as failure:
        messages.error(request, str(failure))
        return HttpResponseRedirect(list_url())
    return HttpResponseRedirect(reverse("admin:backups_backup_work", args=[work.id]))


def restore_page(model_admin: admin.ModelAdmin, request: HttpRequest, name: str) -> HttpResponse:
    """Say what a restore would do (GET); do it once the name is typed and the reason given (POST)."""
    backup, here = _listed(name)
    return answer_act(RestoreBackup(model_admin, request, backup, here=here))


def download_page(model_admin: admin.ModelAdmin, request: HttpRequest, name: str) -> HttpResponse | FileResponse:
    """Offer the file of a backup that is here (GET); give it, and note in the journal who has it (POST)."""
    backup, here = _listed(name)
    if not here:
        raise Http404("This backup is only off-site: restore or verify it to copy it back.")
    if request.method != "POST":
        return answer(model_admin, request, "download", {"title": f"Download {backup.id}", "backup": backup})
    note(download=True, backup=backup.id, actor=actor_of(request).get_username(), result="downloaded")
    return FileResponse(backup.file.open("rb"), as_attachment=True, filename=backup.path)


def work_page(model_admin: admin.ModelAdmin, request: HttpRequest, key: str) -> HttpResponse:
    """Show how far a piece of work is, or how it ended."""
    work = _work(key)
    context = {
        "title": TITLES[work.verb],
        "work": work,
        "failed": work.state == FAILED,
        "progress_url": reverse("admin:backups_backup_progress", args=[key]),
        "may_restore": request.user.has_perm("backups.restore_backup"),
        "may_verify": request.user.has_perm("backups.verify_backup"),
    }
    return answer(model_admin, request, "work", context)


def progress_view(model_admin: admin.ModelAdmin, request: HttpRequest, key: str) -> HttpResponse:
    """Tell the script of the page how far it is."""
    work = _work(key)
    progress = {"status": work.state, "words": work.words, "numbers": "", "percent": None, "warning": "", "next": ""}
    return JsonResponse(progress)


def _listed(name: str) -> tuple[Backup, bool]:
    try:
        return find_listed(name)
    except BackupFailure as failure:
        raise Http404(str(failure)) from failure


def _work(key: str) -> Work:
    if (work := work_of(key)) is None:
        raise Http404("There is no such backup or restore, or it was long ago.")
    return work
