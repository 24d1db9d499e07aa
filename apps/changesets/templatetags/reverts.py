"""Template tags of reverts and reviews: what a revert did, which part it was about, and the forms of the reviewer."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.text import capfirst

from apps.changesets.acts.lines import LEFT, Line
from apps.changesets.acts.review import is_own, needs_review
from apps.changesets.bulk.plans import Listed
from apps.changesets.fields import target_of
from apps.changesets.models import Changeset, Kind, ReviewVerdict
from apps.changesets.pages import links, show
from apps.changesets.pages.plan_rows import ShownRow, rows_of, verdicts_in_summary
from apps.changesets.pages.revert_lines import BUCKETS
from apps.changesets.plans.rows import PARTLY
from apps.changesets.revert.verdicts import OPERATIONS, Bucket, Verdict
from apps.changesets.revert.wording import part_words, scope_of, scope_words, whole_numbers
from apps.changesets.rights import Sees, eyes_of
from apps.changesets.text import plural
from apps.changesets.tracking import tracked_by_name

register = template.Library()

# What became of the objects, where the plan says what will.
OUTCOMES = {
    Bucket.RESTORED: ("got its old values back", "got their old values back"),
    PARTLY: ("went back except for values changed since", "went back except for values changed since"),
    Bucket.DELETED: ("that had been added was deleted", "that had been added were deleted"),
    Bucket.RECREATED: ("that had been deleted came back", "that had been deleted came back"),
    Bucket.KEPT: ("was kept: changed since", "were kept: changed since"),
    Bucket.BLOCKED: ("was blocked", "were blocked"),
    Bucket.ALREADY: ("was as it had been already", "were as they had been already"),
}
OUTCOMES_OF_REDO = ("got its newer values back", "got their newer values back")
# What a restore of deleted objects could not bring back.
STAYED = ("is blocked and stays in the recycle bin", "are blocked and stay in the recycle bin")
REVERTED_SENTENCE = '{} by <a href="{}">#{}</a>, {}{}. To redo it, {}'


@register.inclusion_tag("admin/changesets/changeset/outcome.html", takes_context=True)
def outcome(context: template.Context, changeset: Changeset) -> dict[str, Any]:
    """Show what an act did, and what it left alone and why, as far as the changes themselves do not tell it.

    A sentence that names objects is for those who may see all that it may name.
    """
    summary, sees = changeset.summary or {}, eyes_of(context["request"].user)
    if changeset.kind == Kind.REVERT and "revert" in summary:
        return _of_revert(changeset, summary, sees)
    bulk = summary.get("bulk") or {}
    if bulk and not _sees_all([bulk["model"], *context["counts"]], sees):
        bulk = {}
    listed = [Listed(*names) for names in bulk.get("listed", ())]
    stayed = summary.get("left_alone", ()) if "restore" in summary else ()
    if stayed := [entry for entry in stayed if _sees_all([entry["model"]], sees)]:
        names = tuple(f"{entry['object']}: {'; '.join(why['why'] for why in entry['why'])}" for entry in stayed)
        listed.append(Listed(plural(len(names), *STAYED), len(names), names))
    left = [Line(*line) for line in bulk.get("left", ())] + [line for lines in LEFT.of() for line in lines(changeset)]
    tracked = tracked_by_name(bulk["model"]) if bulk else None
    return {"bulk": bulk, "opts": tracked and tracked.model._meta, "left": left, "listed": listed}


def _sees_all(labels: Iterable[str], sees: Sees) -> bool:
    """Whether these models, and what their objects are linked to, may all be seen."""
    known = [tracked for tracked in map(tracked_by_name, labels) if tracked is not None]
    models = [model for tracked in known for model in (tracked.model, *map(target_of, tracked.links))]
    return all(map(sees, models))


def _of_revert(changeset: Changeset, summary: dict[str, Any], sees: Sees) -> dict[str, Any]:
    """Return what a revert did in the buckets of its plan, and the rows that it left alone."""
    counts, verdicts = whole_numbers(summary["revert"], summary.get("partly", 0)), verdicts_in_summary(summary)
    redo = any(reverted.kind == Kind.REVERT for reverted in changeset.reverts.all())
    buckets = []
    for bucket, sign, _many, _one in BUCKETS:
        if number := counts.get(bucket, 0):
            left = rows_of([verdict for verdict in verdicts if _is_in(verdict, bucket)], sees)
            done = OUTCOMES_OF_REDO if bucket == Bucket.RESTORED and redo else OUTCOMES[bucket]
            words = f"{plural(number, 'object')} {plural(number, *done)}"
            buckets.append((str(bucket), sign, number, words, _rows_at(bucket, left), left))
    return {"buckets": buckets, "scope_words": scope_words(scope_of(changeset), sees=sees)}


def _is_in(verdict: Verdict, bucket: str) -> bool:
    return (PARTLY if verdict.bucket == Bucket.KEPT and verdict.partly else verdict.bucket) == bucket


def _rows_at(bucket: str, left: list[ShownRow]) -> str:
    """Return where the objects of a bucket are listed: among the changes, or in a list of their own."""
    if operation := OPERATIONS.get(Bucket.RESTORED if bucket == PARTLY else Bucket(bucket)):
        return f"?op={operation}#changes-title"
    return f"#left-{bucket}" if left else ""


@register.simple_tag(takes_context=True)
def reverted_sentence(context: template.Context, changeset: Changeset, by: Changeset) -> str:
    """Return by which revert, when and which part a changeset was reverted, with the way to redo it."""
    word = "Partly reverted" if changeset.status == "partly_reverted" else "Reverted"
    part = part_words(by, sees=eyes_of(context["request"].user))
    return format_html(
        REVERTED_SENTENCE,
        word,
        links.changeset_url(by.pk),
        by.pk,
        show.moment(by.created_at),
        f" ({part})" if part else "",
        links.plan_button(links.revert_url(by.pk), f"undo #{by.pk}…"),
    )


@register.inclusion_tag("admin/changesets/changeset/review.html", takes_context=True)
def review_box(context: template.Context, changeset: Changeset) -> dict[str, Any]:
    """Show who reviewed a changeset, or the form to do so; and for direct writes the form to name them."""
    user = context["request"].user
    may = user.has_perm(links.REVIEW)
    named = ((changeset.summary or {}).get("named") or [None])[-1]
    return {
        "changeset": changeset,
        "may": may,
        "own": may and changeset.reviewed_by == user,
        "waits": needs_review(changeset),
        "made_it": is_own(changeset, user),
        "verdict": show.reviewed(changeset),
        "verdicts": [(name, show.verdict(name)) for name in ReviewVerdict.values],
        "waiting_url": f"{links.changesets_url()}?reviewed=no",
        "reviewer": capfirst(changeset.reviewed_by_name),
        "direct": changeset.kind == Kind.DIRECT,
        "named": named,
        "csrf_token": context.get("csrf_token"),
    }
