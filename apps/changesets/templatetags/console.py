"""Template tags of the console: signs, times and values as every page shows them, and the last changesets."""

from collections.abc import Sequence
from typing import Any

from django import template
from django.apps import apps
from django.core.paginator import Page
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator

from apps.changesets.history.counts import counts_of_many
from apps.changesets.history.diff import FieldChange
from apps.changesets.history.words import SIGNS, is_open_to_revert, person, subjects_of
from apps.changesets.models import Changeset
from apps.changesets.pages import links, show
from apps.changesets.pages.changed_by import list_of_changed
from apps.changesets.pages.filter_words import filter_words
from apps.changesets.revert.own_edit import is_own_edit
from apps.changesets.rights import eyes_of, may_view
from apps.changesets.text import counted, plural
from apps.changesets.tracking import tracked_by_name

register = template.Library()
LAST = 8
# Of the title of a column, which a file may make as long as it likes.
LONGEST_NAME = 40

register.filter("moment", show.moment)
register.filter("shown", show.value)
register.filter("bytes", show.size)
register.filter("quoted", show.quoted)
register.filter("with_code", show.with_code)
register.filter("filter_words", filter_words)
register.filter("tally", show.tally)
register.filter("person", person)
register.filter("telling_key", links.telling_key)
register.filter("revert_address", links.revert_url)
register.filter("open_to_revert", is_open_to_revert)
# A number as addresses want it, without separators.
register.filter("own_edit", is_own_edit)
register.filter("undo_own_address", links.undo_own_url)
register.filter("unlocalized", lambda number: str(number))
register.filter("grouped", lambda number: f"{number:,}")
register.simple_tag(show.sign, name="sign")
register.simple_tag(links.plan_button)


@register.filter
def model_name(label: str) -> str:
    """Return what one object of the model is called."""
    return str(apps.get_model(label)._meta.verbose_name)


@register.filter
def changeset_address(changeset: Changeset | int) -> str:
    """Return the address of a changeset's page."""
    return links.changeset_url(changeset.pk if isinstance(changeset, Changeset) else changeset)


@register.filter
def news(fields: tuple[FieldChange, ...]) -> list[FieldChange]:
    """Return the fields worth a line; those that follow others are folded away."""
    return [field for field in fields if not field.derived]


@register.filter
def plain(number: float | None) -> str:
    """Return a number as scripts read it; nothing for none."""
    return "" if number is None else repr(number)


@register.filter(name="plural")
def plural_by(number: int, words: Any) -> str:
    """Return the word that fits a number: of `row`, of `is,are`, or of a model."""
    return plural(number, *_forms(words))


@register.filter(name="counted")
def counted_by(number: int, words: Any) -> str:
    """Return a number of things in words: `1,204 airports`; the words are those that `plural` takes."""
    return counted(number, *_forms(words))


def _forms(words: Any) -> list[Any]:
    return words.split(",") if isinstance(words, str) else [words]


@register.simple_tag
def sign_only(operation: str) -> str:
    """Return the sign of a sort of change in its colour, where the words beside it say the rest."""
    return format_html('<b class="op op-{}" aria-hidden="true">{}</b>', operation, SIGNS[operation][0])


@register.filter
def codes(names: Sequence[str], most: int | None = None) -> str:
    """Return names as they stand in a file, with commas between; at most so many of them, each cut where it is long."""
    shown = names if most is None else [Truncator(name).chars(LONGEST_NAME) for name in names[:most]]
    text = format_html_join(", ", "<code>{}</code>", ((name,) for name in shown))
    return text if len(shown) == len(names) else format_html("{} and {} more", text, len(names) - len(shown))


@register.simple_block_tag
def callout(content: str, sign: str = "", refused: bool = False, alert: bool = False) -> str:
    """Show a sentence that must be seen; `words` with links and the like among them."""
    context = {"words": content, "sign": sign, "refused": refused, "alert": alert}
    return render_to_string("admin/parts/callout.html", context)


@register.inclusion_tag("admin/changesets/last_changesets.html", takes_context=True)
def last_changesets(context: template.Context) -> dict[str, Any]:
    """Show the last changesets to those who may see them."""
    user = context["request"].user
    if not user.has_perm(links.VIEW):
        return {"allowed": False}
    changesets = list(Changeset.objects.select_related("actor").prefetch_related("reverted_by", "reverts")[:LAST])
    counts = counts_of_many(changesets)
    subjects = subjects_of(changesets, counts, sees=eyes_of(user))
    may_revert = user.has_perm(links.REVERT)
    rows = [
        {
            "changeset": changeset,
            "subject": subjects.get(changeset.pk, ""),
            "counts": show.counts(counts[changeset.pk]),
            "state": format_html("{} {}", show.state(changeset), show.reviewed(changeset)),
            "next": show.next_steps(changeset, may_revert=may_revert and is_open_to_revert(changeset)),
        }
        for changeset in changesets
    ]
    return {"allowed": True, "rows": rows}


@register.inclusion_tag("admin/parts/pager.html", takes_context=True)
def pager(context: template.Context, page: "Page[Any]", anchor: str = "") -> dict[str, Any]:
    """Show the ways to the pages around one of a Paginator; all else in the address stays."""

    def address(number: int) -> str:
        query = context["request"].GET.copy()
        query["p"] = number
        return f"?{query.urlencode()}"

    return {
        "before": address(page.number - 1) if page.has_previous() else "",
        "after": address(page.number + 1) if page.has_next() else "",
        "number": page.number,
        "of": page.paginator.num_pages,
        "anchor": anchor,
    }


@register.inclusion_tag("admin/changesets/around.html", takes_context=True)
def around(context: template.Context, counts: dict[str, Any], pk: int) -> dict[str, Any]:
    """Lead to the tables that a changeset touched, and that may be seen, as they were before and after it."""
    lines = []
    for tracked in filter(None, map(tracked_by_name, counts)):
        if not may_view(context["request"].user, tracked.model):
            continue
        meta = tracked.model._meta
        address = links.model_url(tracked.model, "as_of_list")
        now = list_of_changed(tracked.model, pk)
        lines.append((meta.verbose_name_plural, f"{address}?at=before-{pk}", f"{address}?at=after-{pk}", now))
    return {"lines": lines}
