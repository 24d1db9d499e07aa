"""Template tags of reverts and reviews: what a revert did, which part it was about, and the forms of the reviewer."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.text import capfirst

from apps.changesets.acts.lines import LEFT, Line
from apps.changesets.acts.review import needs_review
from apps.changesets.bulk.plans import Listed
from apps.changesets.models import Changeset, Kind
from apps.changesets.pages import links, show
from apps.changesets.pages.plan_rows import rows_of, verdicts_in_summary
from apps.changesets.pages.revert import BUCKETS
from apps.changesets.revert.verdicts import Bucket, Verdict
from apps.changesets.revert.wording import part_words, scope_of, scope_words
from apps.changesets.text import plural
from apps.changesets.tracking import tracked_by_name

register = template.Library()

# What became of the objects, where the plan says what will.
OUTCOMES = {
    Bucket.RESTORED: ("got its old values back", "got their old values back"),
    Bucket.DELETED: ("that had been added was deleted", "that had been added were deleted"),
    Bucket.RECREATED: ("that had been deleted came back", "that had been deleted came back"),
    Bucket.KEPT: ("was kept: changed since", "were kept: changed since"),
    Bucket.BLOCKED: ("was blocked", "were blocked"),
    Bucket.ALREADY: ("was as it had been already", "were as they had been already"),
}
# What a restore of deleted objects could not bring back.
STAYED = ("is blocked and stays in the recycle bin", "are blocked and stay in the recycle bin")
# The operation that the changeset's own list of changes shows for a bucket.
SHOWN_AS = {Bucket.RESTORED: "changed", Bucket.DELETED: "deleted", Bucket.RECREATED: "created"}
REVERTED_SENTENCE = '{} by <a href="{}">#{}</a>, {}{}. To redo it, <a href="{}">undo #{}…</a>'


@register.inclusion_tag("admin/changesets/changeset/outcome.html")
def outcome(changeset: Changeset) -> dict[str, Any]:
    """Show what an act did, and what it left alone and why, as far as the changes themselves do not tell it."""
    summary = changeset.summary or {}
    if changeset.kind == Kind.REVERT and "revert" in summary:
        return _of_revert(changeset, summary)
    bulk = summary.get("bulk") or {}
    listed = [Listed(*names) for names in bulk.get("listed", ())]
    if stayed := summary.get("left_alone", ()) if "restore" in summary else ():
        names = tuple(f"{entry['object']}: {'; '.join(why['why'] for why in entry['why'])}" for entry in stayed)
        listed.append(Listed(plural(len(names), *STAYED), len(names), names))
    left = [Line(*line) for line in bulk.get("left", ())] + [line for lines in LEFT.of() for line in lines(changeset)]
    tracked = tracked_by_name(bulk["model"]) if bulk else None
    return {"bulk": bulk, "opts": tracked and tracked.model._meta, "left": left, "listed": listed}


def _of_revert(changeset: Changeset, summary: dict[str, Any]) -> dict[str, Any]:
    """Return what a revert did in the buckets of its plan, and the rows that it left alone."""
    counts, verdicts = summary["revert"], verdicts_in_summary(summary)
    buckets = []
    for bucket, sign, _many, _one in BUCKETS:
        if number := counts.get(bucket, 0):
            left = [verdict for verdict in verdicts if verdict.bucket == bucket]
            words = f"{plural(number, 'object')} {plural(number, *OUTCOMES[bucket])}"
            buckets.append((bucket.value, sign, number, words, _rows_at(bucket, left), rows_of(left)))
    return {"buckets": buckets, "scope_words": scope_words(scope_of(changeset))}


def _rows_at(bucket: Bucket, left: list[Verdict]) -> str:
    """Return where the objects of a bucket are listed: among the changes, or in a list of their own."""
    if bucket in SHOWN_AS:
        return f"?op={SHOWN_AS[bucket]}#changes-title"
    return f"#left-{bucket}" if left else ""


@register.simple_tag
def reverted_sentence(changeset: Changeset, by: Changeset) -> str:
    """Return by which revert, when and which part a changeset was reverted, with the way to redo it."""
    word = "Partly reverted" if changeset.status == "partly_reverted" else "Reverted"
    part = part_words(by)
    return format_html(
        REVERTED_SENTENCE,
        word,
        links.changeset_url(by.pk),
        by.pk,
        show.moment(by.created_at),
        f" ({part})" if part else "",
        links.revert_url(by.pk),
        by.pk,
    )


@register.inclusion_tag("admin/changesets/changeset/review.html", takes_context=True)
def review_box(context: template.Context, changeset: Changeset) -> dict[str, Any]:
    """Show who reviewed a changeset, or the form to do so; and for direct writes the form to name them."""
    may = context["request"].user.has_perm(links.REVIEW)
    named = ((changeset.summary or {}).get("named") or [None])[-1]
    return {
        "changeset": changeset,
        "may": may,
        "waits": needs_review(changeset),
        "reviewer": capfirst(changeset.reviewed_by_name),
        "direct": changeset.kind == Kind.DIRECT,
        "named": named,
        "csrf_token": context.get("csrf_token"),
    }
