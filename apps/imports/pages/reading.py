"""The page between upload and plan: how the file is read, and which column fills which field, with its first rows."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.forms import LONGEST_REASON
from apps.changesets.acts.methods import ASKS, turned_away
from apps.imports.errors import ImportFailure
from apps.imports.mapping import headers
from apps.imports.mapping.layout import likely_match, missing_columns
from apps.imports.models import ImportRun
from apps.imports.pages.addresses import run_url
from apps.imports.pages.importing import as_corrections
from apps.imports.pages.mapping import (
    Columns,
    commas_of_file,
    left_out,
    mapping_errors,
    mapping_rows,
    posted_columns,
    proposed_columns,
)
from apps.imports.pages.reading_choices import choices_of, chosen_reading, likely_words
from apps.imports.reading.rows import Reading
from apps.imports.registry import spec_named
from apps.imports.results import Decimal, ImportOptions
from apps.imports.runs.confirming import may_decide
from apps.imports.runs.opening import set_options
from apps.imports.runs.preview import Preview, preview
from apps.imports.spec import ImportSpec
from apps.imports.tasks import start_planning

# Posted by the button that only shows the file again.
SHOW = "show"
DECIMALS: dict[Decimal, str] = {"point": "a point: 8.55", "comma": "a comma: 8,55"}


def reading_page(request: HttpRequest, run: ImportRun, context: dict[str, Any]) -> HttpResponse:
    """Show how the file is read, with a good guess (GET) or as chosen (POST `show`), or take it and plan (POST).

    With `part` in the address only the form is returned, for the script that replaces it.
    """
    if (refused := turned_away(request, ASKS, may=may_decide(request.user, run))) is not None:
        return refused
    posted = request.POST if request.method == "POST" else {}
    spec = spec_named(run.spec)
    try:
        shown = preview(run, chosen_reading(posted, Reading(**run.how)))
        options = _options(posted, spec, ImportOptions.from_json(run.options))
        errors = [shown.refusal] if shown.refusal else []
        columns = proposed_columns(run, shown, spec, options)
        if posted and posted.get("titles", mark_of(shown.header)) == mark_of(shown.header):
            columns = posted_columns(posted, columns, shown.header, spec)
        else:
            options = replace(options, match=likely_match(columns.chosen, spec, options))
            columns, options = commas_of_file(columns, options)
            if posted and not errors and SHOW not in posted:
                errors = ["Read like this, the file has other columns: look at them again."]
        if posted and SHOW not in posted and not errors:
            errors = mapping_errors(columns, spec, options)
            if not errors:
                return _plan(request, run, shown, as_corrections(columns.options(options)))
    except ImportFailure as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(run_url(run))
    context |= _context(run, shown, spec, options, columns, errors, posted=bool(posted))
    template = "reading_form.html" if "part" in request.GET else "mapping.html"
    return TemplateResponse(request, f"admin/imports/{template}", context)


def mark_of(header: list[str]) -> str:
    """Return a mark of titles, by which the page knows that they are no longer those that it showed."""
    return hashlib.sha256("\x1f".join(header).encode()).hexdigest()[:16]


def _options(posted: Mapping[str, str], spec: ImportSpec, options: ImportOptions) -> ImportOptions:
    if "source" in posted:
        options = replace(options, corrections=not spec.upstream or posted["source"] == "corrections")
    decimal = next((sign for sign in DECIMALS if sign == posted.get("decimal")), options.decimal)
    options = replace(options, decimal=decimal)
    if posted.get("match", options.match) in ("", *spec.match_choices):
        options = replace(options, match=posted.get("match", options.match))
    if "null_words" in posted:
        # A box that is not ticked is not posted: its neighbour tells that it was asked.
        ignore_case = "ignore_case" in posted and options.corrections
        options = replace(
            options, null_words=frozenset(posted["null_words"][:LONGEST_REASON].split()), ignore_case=ignore_case
        )
    return options


def _plan(request: HttpRequest, run: ImportRun, shown: Preview, options: ImportOptions) -> HttpResponse:
    run = set_options(run, options, actor=actor_of(request), read=shown)
    # Places say nothing about what stands there in the next file.
    if shown.how.has_titles:
        mapping, changes = options.mapping or {}, options.changes
        headers.remember(run.header, spec_named(run.spec), mapping, changes=changes, actor=actor_of(request))
    start_planning(run)
    return HttpResponseRedirect(run_url(run))


def _context(
    run: ImportRun,
    shown: Preview,
    spec: ImportSpec,
    options: ImportOptions,
    columns: Columns,
    errors: list[str],
    *,
    posted: bool,
) -> dict[str, Any]:
    lacks = missing_columns(columns.chosen, spec, corrections=False) if spec.upstream else []
    known = headers.recall(shown.header, spec)
    return {
        "title": f"How {run.file_name} is read",
        "run": run,
        "model": spec.model._meta,
        "spec": spec,
        "step": 1,
        "shown": shown,
        "choices": choices_of(run, shown),
        "words": likely_words(run, shown),
        "ignore_case": options.ignore_case,
        "null_words": " ".join(sorted(options.null_words)),
        "matches": [("", "The usual keys"), *((word, choice.title) for word, choice in spec.match_choices.items())],
        "match": options.match,
        "titles_mark": mark_of(shown.header),
        "other_file": headers.other_file(shown.header, spec),
        "why_not_again": known and headers.why_not_again(known, shown.header, spec, options),
        "fields": list(mapping_rows(spec, columns, shown, options)),
        "left_out": left_out(columns),
        "decimals": DECIMALS,
        "decimal": options.decimal,
        "titles": _titles(shown),
        "not_taken": headers.not_taken(shown.header, columns.chosen),
        "asked_for_snapshot": bool(spec.upstream) and not options.corrections,
        "corrections": options.corrections or (not posted and bool(lacks)),
        "lacks": lacks,
        "not_one_known": shown.how.has_titles and bool(shown.rows) and not columns.chosen and not errors,
        "errors": errors,
    }


def _titles(shown: Preview) -> list[tuple[str, str]]:
    """Return the titles to choose from, and what they are called: a place says nothing without its first value."""
    titles = [(title, title) for title in shown.header if title]
    if shown.how.has_titles or not shown.rows:
        return titles
    return [(title, f"{title}: {value}") for (title, _label), value in zip(titles, shown.rows[0][1], strict=False)]
