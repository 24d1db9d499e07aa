"""What is new of what a person follows, as far as they may see it now: for their feed and for their mails."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest, QueryDict
from django.utils import timezone

from apps.changesets.acts.comments import comments_on
from apps.changesets.history.counts import Counts, counts_of_many, total
from apps.changesets.history.cursors import Cursor, changesets_after, cursor_now
from apps.changesets.history.followed import touched_any, touched_object
from apps.changesets.history.words import SIGNS, full_name, person, subjects_of
from apps.changesets.models import Changeset, Follow, Kind, SavedView, Status
from apps.changesets.pages import links, show
from apps.changesets.rights import Sees, eyes_of
from apps.changesets.tracking import tracked_by_label

# A feed shows what is younger, and of the newest changesets so many.
DAYS, MOST = 30, 200
# Comments and reviews are told when they are this old: by then they are committed.
SETTLED = timedelta(minutes=1)


@dataclass(frozen=True)
class News:
    """One thing that happened: what it is, where it is seen, in words, when, by whom, and to whose interest."""

    title: str
    url: str
    words: str
    at: datetime
    by: str
    followed: tuple[str, ...]


def recent_news(user: User) -> list[News]:
    """Return the news of the last days, the newest first; a commit that an older one may still overtake waits."""
    since, until = timezone.now() - timedelta(days=DAYS), timezone.now() - SETTLED
    unsettled = changesets_after(cursor_now()).values("pk")
    changesets = _told(Changeset.objects.exclude(pk__in=unsettled)).filter(done_at__gte=since)
    return news_of(user, list(changesets[:MOST]), since=since, until=until)


def news_between(user: User, start: Cursor | datetime, end: Cursor, *, since: datetime, until: datetime) -> list[News]:
    """Return the news after one place in the order of commits up to another; `start` may be a time instead."""
    changesets = _told(Changeset.objects.exclude(pk__in=changesets_after(end).values("pk")))
    if isinstance(start, Cursor):
        changesets = changesets.filter(pk__in=changesets_after(start).values("pk"))
    else:
        changesets = changesets.filter(done_at__gt=start)
    return news_of(user, list(changesets), since=since, until=until)


def _told(changesets: QuerySet[Changeset]) -> QuerySet[Any]:
    """Return those changesets that are news, in the order in which they ended, the newest first."""
    news = changesets.exclude(status=Status.FAILED).exclude(kind=Kind.BASELINE)
    news = news.annotate(done_at=Coalesce("finished_at", "created_at"))
    return news.select_related("actor").prefetch_related("reverts").order_by("-done_at", "-pk")


def news_of(user: User, changesets: Sequence[Any], *, since: datetime, until: datetime) -> list[News]:
    """Return which of these changesets concern what the person follows, each once, and what was said of followed."""
    if not (user.is_active and user.has_perm(links.VIEW)):
        return []
    sees, followed = eyes_of(user), dict[int, list[str]]()
    news = []
    for follow in Follow.objects.filter(user=user).select_related("changeset", "view"):
        later = [changeset for changeset in changesets if changeset.done_at >= follow.created_at]
        for number in _concerned(follow, later, user, sees):
            followed.setdefault(number, []).append(str(follow))
        if follow.changeset is not None:
            news += _said(follow.changeset, sees, max(since, follow.created_at), until)
    told = [changeset for changeset in changesets if changeset.pk in followed]
    counts = counts_of_many(told)
    subjects = subjects_of(told, counts, sees=sees)
    news += [_news(one, subjects.get(one.pk, ""), counts[one.pk], followed[one.pk]) for one in told]
    return sorted(news, key=lambda item: item.at, reverse=True)


def _concerned(follow: Follow, changesets: Sequence[Any], user: User, sees: Sees) -> Collection[int]:
    if not changesets:
        return ()
    if follow.changeset is not None:
        reverts = Changeset.reverts.through.objects.filter(
            to_changeset=follow.changeset_id, from_changeset__in=[one.pk for one in changesets]
        )
        return set(reverts.values_list("from_changeset", flat=True))
    if follow.view is not None:
        rows = rows_of_view(follow.view, user)
        return touched_any(changesets, rows) if rows is not None else ()
    return touched_object(changesets, follow.model, follow.object_key, sees=sees)


def rows_of_view(view: SavedView, user: User) -> QuerySet[Any] | None:
    """Return what a saved view shows a person now, as the list reads its address; None for who may not see it."""
    try:
        model: type[Model] = tracked_by_label(view.model).model
    except LookupError:
        return None
    model_admin: Any = admin.site.get_model_admin(model)
    request = HttpRequest()
    request.method, request.user, request.GET = "GET", user, QueryDict(view.query)
    if not (model_admin.has_view_permission(request) and (view.shared or view.owner_id == user.pk)):
        return None
    try:
        rows: QuerySet[Any] = model_admin.get_changelist_instance(request).queryset
    except IncorrectLookupParameters:
        return None
    return rows


def _news(changeset: Any, subject: str, counts: Counts, followed: list[str]) -> News:
    tally = ", ".join(f"{number:,} {SIGNS[name][1]}" for name in show.TALLIED if (number := total(counts, [name])))
    title = f"{changeset} {subject}".strip()
    words = ". ".join(filter(None, [tally, changeset.reason]))
    by, names = person(changeset), tuple(dict.fromkeys(followed))
    return News(title, links.changeset_url(changeset.pk), words, changeset.done_at, by, names)


def _said(changeset: Changeset, sees: Sees, since: datetime, until: datetime) -> list[News]:
    """Return the comments on a changeset, and its review, of a time."""
    url, name = links.changeset_url(changeset.pk), (str(changeset),)
    comments = comments_on(changeset, sees=sees).filter(created_at__gt=since, created_at__lte=until)
    said = [
        News(
            f"Comment on {changeset}" + (f", {comment.object_name}" if comment.object_name else ""),
            f"{url}#comment-{comment.pk}",
            comment.text,
            comment.created_at,
            full_name(comment.author) if comment.author else comment.author_name,
            name,
        )
        for comment in comments
    ]
    if changeset.reviewed_at is not None and since < changeset.reviewed_at <= until:
        title, by = f"{changeset} is reviewed: {changeset.verdict}", changeset.reviewed_by_name
        said.append(News(title, f"{url}#review-title", changeset.review_comment, changeset.reviewed_at, by, name))
    return said
