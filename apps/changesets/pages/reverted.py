"""Reverting at once from a page, and what is said of it afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest

from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.planned import Message, Outcome
from apps.changesets.models import Changeset
from apps.changesets.pages import links
from apps.changesets.revert import OnConflict, Scope, carry_out
from apps.changesets.revert.reasons import MOVED_WORDS
from apps.changesets.revert.wording import counts_words
from apps.changesets.rights import within_rights
from apps.changesets.text import plural

NAMED = 5


def reverted(
    request: HttpRequest,
    chosen: Sequence[Changeset],
    scope: Scope,
    *,
    reason: str,
    on_conflict: OnConflict = OnConflict.KEEP,
    seen: Mapping[str, int] | None = None,
    back: tuple[str, str] | None = None,
) -> Outcome:
    """Revert this part of the changesets; return the outcome, which leads to the new changeset."""
    with within_rights(actor_of(request)):
        made, done = carry_out(
            [changeset.pk for changeset in chosen],
            scope=scope,
            on_conflict=on_conflict,
            actor=actor_of(request),
            reason=reason,
            seen=seen,
        )
    moved = [f"{verdict.label} ({verdict.by})" for verdict in done.verdicts if verdict.why == MOVED_WORDS]
    named = ", ".join(moved[:NAMED]) + (" and others" if len(moved) > NAMED else "")
    warned = (
        (Message(f"Changed after the plan was shown, and left alone: {named}.", messages.WARNING),) if moved else ()
    )
    name = str(chosen[0]) if len(chosen) == 1 else f"{len(chosen)} changesets"
    part = "" if scope.is_everything and not done.left_alone else "partly "
    sentence = f"{name} {plural(len(chosen), 'is', 'are')} {part}reverted: {counts_words(done.counts)}."
    if made is None:
        sentence = f"Nothing was changed: the rest of {name} is already as it was before, or was kept."
    back = back or (links.changeset_url(chosen[0].pk), f"Back to {chosen[0]}")
    outcome = links.lead_to(request.user, made, sentence, back=back, undo="Undo this revert…")
    return replace(outcome, messages=(*warned, *outcome.messages))
