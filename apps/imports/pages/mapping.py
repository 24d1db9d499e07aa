"""The step between upload and plan for a file with other headers: which column fills which field."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.methods import ASKS, turned_away
from apps.imports.errors import ImportFailure
from apps.imports.mapping import headers
from apps.imports.mapping.changes import CHANGES, changed, shares
from apps.imports.mapping.guesses import guess_columns
from apps.imports.mapping.layout import missing_columns
from apps.imports.models import ImportRun
from apps.imports.pages.addresses import run_url
from apps.imports.pages.importing import chosen_options
from apps.imports.registry import spec_named
from apps.imports.results import Changes, ImportOptions, changes_from_json
from apps.imports.runs.confirming import may_decide
from apps.imports.runs.opening import FIRST_ROWS, sample_of, set_options
from apps.imports.spec import ImportSpec
from apps.imports.tasks import start_planning

PREFIX = "column-"


def mapping_page(request: HttpRequest, run: ImportRun, context: dict[str, Any]) -> HttpResponse:
    """Show the fields beside the file's columns with a good guess (GET), or take the mapping and plan (POST)."""
    if (refused := turned_away(request, ASKS, may=may_decide(request.user, run))) is not None:
        return refused
    spec = spec_named(run.spec)
    options = ImportOptions.from_json(run.options)
    errors: list[str] = []
    try:
        sample = sample_of(run)
    except ImportFailure as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(run_url(run))
    proposed, changes = _proposal(run, spec, options, sample)
    if request.method == "POST":
        chosen = _chosen(request, run, spec)
        changes = {field: steps for field, steps in changes.items() if chosen.get(field) == proposed.get(field)}
        corrections = not spec.upstream or request.POST.get("source") == "corrections"
        errors = _errors(chosen, changes, spec, corrections=corrections)
        if not errors:
            return _plan(request, run, chosen, changes, corrections=corrections)
    else:
        chosen = proposed
        without = missing_columns(chosen, spec, corrections=False) if spec.upstream else []
        corrections = options.corrections or bool(without)
    lacks = missing_columns(chosen, spec, corrections=False) if spec.upstream else []
    context |= {
        "title": f"Which column is which in {run.file_name}",
        "run": run,
        "model": spec.model._meta,
        "spec": spec,
        "step": 1,
        "fields": _fields(run, spec, chosen, changes, sample[:FIRST_ROWS]),
        "titles": [title for title in run.header if title],
        "not_taken": headers.not_taken(run.header, chosen),
        "asked_for_snapshot": bool(spec.upstream) and not options.corrections,
        "corrections": corrections,
        "lacks": lacks,
        "not_one_known": not chosen and not errors,
        "errors": errors,
    }
    return TemplateResponse(request, "admin/imports/mapping.html", context, status=200)


def _proposal(
    run: ImportRun, spec: ImportSpec, options: ImportOptions, sample: list[list[str]]
) -> tuple[dict[str, str], Changes]:
    """Return the current mapping, or the last one of this header, or a guess, with the changes of values."""
    if options.mapping is not None:
        return headers.columns_taken(run.header, spec, options), options.changes
    known = headers.recall(run.header, spec)
    if known is not None:
        return known.mapping, changes_from_json(known.changes)
    guesses = guess_columns(run.header, sample, spec)
    changes = {guess.field: (guess.change,) for guess in guesses if guess.change}
    return {guess.field: guess.title for guess in guesses}, changes


def _chosen(request: HttpRequest, run: ImportRun, spec: ImportSpec) -> dict[str, str]:
    titles = set(run.header) - {""}
    posted = {column.field: request.POST.get(PREFIX + column.field, "") for column in spec.columns}
    return {field: title for field, title in posted.items() if title in titles}


def _errors(chosen: dict[str, str], changes: Changes, spec: ImportSpec, *, corrections: bool) -> list[str]:
    errors = []
    lacking = missing_columns(chosen, spec, corrections=corrections)
    if lacking and corrections:
        errors.append(f"Say which column has the {', '.join(lacking)}: without it no object is known.")
    elif lacking:
        title = spec.upstream_title or spec.name
        errors.append(
            f"A snapshot of {title} needs the columns {', '.join(lacking)}: say which they are, "
            "or take the file as corrections by hand."
        )
    seen: dict[str, str] = {}
    for field, title in chosen.items():
        if title in seen and not shares(changes.get(field, ())):
            errors.append(f"The column {title[:60]} is chosen twice: for {seen[title]} and for {field}.")
        seen.setdefault(title, field)
    return errors


def _plan(
    request: HttpRequest, run: ImportRun, chosen: dict[str, str], changes: Changes, *, corrections: bool
) -> HttpResponse:
    try:
        options = chosen_options(run, chosen, changes=changes, corrections=corrections)
        run = set_options(run, options, actor=actor_of(request))
        headers.remember(run.header, spec_named(run.spec), chosen, changes=changes, actor=actor_of(request))
        start_planning(run)
    except ImportFailure as refusal:
        messages.error(request, str(refusal))
    return HttpResponseRedirect(run_url(run))


def _fields(
    run: ImportRun, spec: ImportSpec, chosen: dict[str, str], changes: Changes, sample: list[list[str]]
) -> list[dict[str, Any]]:
    places = {title: place for place, title in reversed(list(enumerate(run.header)))}
    names = {*spec.key_fields, *spec.match_columns}
    fields = []
    for column in spec.columns:
        title = chosen.get(column.field, "")
        place = places.get(title)
        values = [row[place] for row in sample if place is not None and place < len(row) and row[place].strip()]
        fields.append(
            {
                "name": PREFIX + column.field,
                "header": column.header,
                "title": title,
                "values": values,
                "changes": [CHANGES[step.name].label for step in changes.get(column.field, ())],
                "after": changed(values, changes.get(column.field, ())) if values else [],
                "required": column.required,
                "names_object": column.field in names,
            }
        )
    return fields
