"""What waits for the person who opens the console: the first thing on the dashboard after how it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from apps.backups.catalogue.manifests import Backup, own_backups
from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.review import what_reviews_ask_for
from apps.changesets.acts.second import proposal_url, waiting_for
from apps.changesets.models import Changeset
from apps.changesets.pages import links
from apps.changesets.revert.stored import waiting_plans
from apps.changesets.revert.wording import scope_words
from apps.changesets.rights import eyes_of
from apps.changesets.text import counted
from apps.imports.models import ImportRun, RunStatus
from travelmathlite.health import is_late

# What an import waits for a person with, and what it then needs.
WAITING = {RunStatus.PLANNED: ("to be reviewed", "Review"), RunStatus.UPLOADED: ("not planned yet", "Go on")}


# Of one person, the newest.
MOST_PLANS = 5


@dataclass(frozen=True)
class ToDo:
    """Something to do: the words, where it is done, and what the button says; some buttons post."""

    words: str
    url: str
    verb: str
    posts: bool = False


@dataclass(frozen=True)
class BackupState:
    """The newest verified backup, or the lack of one, in words; `late` means that somebody must act: how is `to_do`."""

    words: str
    late: bool
    backup: Backup | None = None
    url: str = ""
    to_do: ToDo | None = None


def to_do(request: HttpRequest, backup: BackupState | None) -> list[ToDo]:
    """Return what waits for the person, of what they may see."""
    waiting = [*_imports(request), *_proposals(request), *_reverts(request), *_reviews(request)]
    return [*waiting, *([backup.to_do] if backup and backup.to_do else [])]


def backup_state(request: HttpRequest) -> BackupState:
    """Return the newest verified backup, whether it is too old to rely on, and what the person may do about it."""
    backups = [backup for backup in own_backups() if not backup.tables]
    proved = next((backup for backup in backups if backup.verified_at is not None), None)
    late = proved is None or is_late(proved)
    if not backups:
        words = "There is no backup yet"
    elif proved is None:
        words = f"{counted(len(backups), 'backup')}, none verified"
    else:
        words = "older than a day" if late else "verified"
    url = reverse("admin:backups_backup_changelist")
    return BackupState(words, late, proved, url, _backup_to_do(request, backups, words) if late else None)


def _backup_to_do(request: HttpRequest, backups: list[Backup], words: str) -> ToDo | None:
    """Return the verifying of the newest backup where that is enough, or else the making of one."""
    newest = next(iter(backups), None)
    if newest is not None and newest.verified_at is None and not is_late(newest):
        if not request.user.has_perm("backups.verify_backup"):
            return None
        return ToDo(words, reverse("admin:backups_backup_verify", args=[newest.id]), "Verify…", posts=True)
    if not request.user.has_perm("backups.create_backup"):
        return None
    said = f"The newest verified backup is {words}" if words.startswith("older") else words
    return ToDo(said, reverse("admin:backups_backup_add"), "Back up…")


def _imports(request: HttpRequest) -> Iterator[ToDo]:
    if not request.user.has_perm("imports.view_importrun"):
        return
    statuses = list(ImportRun.objects.filter(status__in=list(WAITING)).order_by().values_list("status", flat=True))
    address = reverse("admin:imports_importrun_changelist")
    for status, (words, verb) in WAITING.items():
        if number := statuses.count(status):
            yield ToDo(
                f"{counted(number, 'import')} {words}", f"{address}?{urlencode({'status__exact': status})}", verb
            )


def _reviews(request: HttpRequest) -> Iterator[ToDo]:
    if not request.user.has_perm(links.REVIEW):
        return
    not_reviewed, harmful = what_reviews_ask_for()
    for number, words, verb, wanted in (
        (not_reviewed, "not reviewed", "Review", "no"),
        (harmful, "found harmful", "Look", "harmful"),
    ):
        if number:
            address = f"{links.changesets_url()}?{urlencode({'reviewed': wanted})}"
            yield ToDo(f"{counted(number, 'changeset')} {words}", address, verb)


def _proposals(request: HttpRequest) -> Iterator[ToDo]:
    """Yield what others asked for and the person may confirm."""
    for proposal in waiting_for(actor_of(request)):
        objects = counted(proposal.size, "object")
        words = f"{proposal.asked_by_name} asks for a second person: {proposal.title} ({objects})"
        yield ToDo(words, proposal_url(proposal.pk), "Look")


def _reverts(request: HttpRequest) -> Iterator[ToDo]:
    """Yield the reverts that the person had planned and has neither carried out nor seen overtaken."""
    if not request.user.has_perm(links.REVERT):
        return
    sees = eyes_of(request.user)
    for plan in waiting_plans(actor_of(request))[:MOST_PLANS]:
        about = plan.head.changesets
        what = str(Changeset.objects.get(pk=about[0])) if len(about) == 1 else counted(len(about), "changeset")
        part = f" ({words})" if (words := scope_words(plan.head.scope, sees=sees)) else ""
        yield ToDo(
            f"Your plan to revert {what}{part}: {counted(plan.head.writes, 'object')}", plan.stored.address, "Review"
        )
