"""Template tags of reverts and reviews: what a revert did, which part it was about, and the forms of the reviewer."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.text import capfirst

from apps.changesets.acts.review import needs_review
from apps.changesets.models import Changeset, Kind
from apps.changesets.pages import links, show
from apps.changesets.pages.plan_rows import rows_of, verdicts_in_summary
from apps.changesets.pages.revert import BUCKETS
from apps.changesets.revert.verdicts import Bucket, Verdict
from apps.changesets.revert.wording import part_words, scope_of, scope_words
from apps.changesets.text import plural

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
# The operation that the changeset's own list of changes shows for a bucket.
SHOWN_AS = {Bucket.RESTORED: "changed", Bucket.DELETED: "deleted", Bucket.RECREATED: "created"}
REVERTED_SENTENCE = '{} by <a href="{}">#{}</a>, {}{}. To redo it, <a href="{}">undo #{}…</a>'


@register.inclusion_tag("admin/changesets/changeset/outcome.html")
def revert_outcome(changeset: Changeset) -> dict[str, Any]:
    """Show what a revert did, in the buckets of its plan, and what it left alone."""
    counts = (changeset.summary or {}).get("revert") if changeset.kind == Kind.REVERT else None
    if not counts:
        return {"counts": None}
    verdicts = verdicts_in_summary(changeset.summary)
    left = {bucket: [verdict for verdict in verdicts if verdict.bucket == bucket] for bucket in ("kept", "blocked")}
    outcome = [
        {
            "name": bucket.value,
            "operation": operation,
            "number": counts[bucket],
            "sentence": plural(counts[bucket], *OUTCOMES[bucket]),
            "rows_at": _rows_at(bucket, left.get(bucket.value)),
            "rows": rows_of(left.get(bucket.value, [])),
        }
        for bucket, operation, _many, _one in BUCKETS
        if counts.get(bucket)
    ]
    return {"counts": counts, "outcome": outcome, "scope_words": scope_words(scope_of(changeset))}


def _rows_at(bucket: Bucket, left: list[Verdict] | None) -> str:
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
