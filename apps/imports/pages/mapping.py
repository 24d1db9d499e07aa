"""The step between upload and plan for a file with other headers: which column fills which field."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.methods import ASKS, turned_away
from apps.imports.errors import ImportFailure
from apps.imports.mapping import headers
from apps.imports.mapping.layout import missing_columns
from apps.imports.models import ImportRun
from apps.imports.pages.addresses import run_url
from apps.imports.pages.importing import chosen_options
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions
from apps.imports.runs.confirming import may_decide
from apps.imports.runs.opening import sample_of, set_options
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
    if request.method == "POST":
        chosen = _chosen(request, run, spec)
        corrections = not spec.upstream or request.POST.get("source") == "corrections"
        errors = _errors(chosen, spec, corrections=corrections, match=options.match)
        if not errors:
            return _plan(request, run, chosen, corrections=corrections)
    else:
        chosen = _guess(run, spec, options)
        without = missing_columns(chosen, spec, corrections=False) if spec.upstream else []
        corrections = options.corrections or bool(without)
    try:
        sample = sample_of(run)
    except ImportFailure as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(run_url(run))
    lacks = missing_columns(chosen, spec, corrections=False) if spec.upstream else []
    context |= {
        "title": f"Which column is which in {run.file_name}",
        "run": run,
        "model": spec.model._meta,
        "spec": spec,
        "step": 1,
        "fields": _fields(run, spec, chosen, sample),
        "titles": [title for title in run.header if title],
        "not_taken": headers.not_taken(run.header, chosen),
        "asked_for_snapshot": bool(spec.upstream) and not options.corrections,
        "corrections": corrections,
        "lacks": lacks,
        "not_one_known": not chosen and not errors,
        "errors": errors,
    }
    return TemplateResponse(request, "admin/imports/mapping.html", context, status=200)


def _guess(run: ImportRun, spec: ImportSpec, options: ImportOptions) -> dict[str, str]:
    """Return the current mapping, or the last one of this header, or a guess."""
    taken = headers.columns_taken(run.header, spec, options)
    if options.mapping is not None:
        return taken
    known = headers.recall(run.header, spec)
    if known is not None:
        return known.mapping
    used = set(taken.values())
    guessed = headers.guess_mapping(run.header, spec)
    return {**{field: title for field, title in guessed.items() if title not in used}, **taken}


def _chosen(request: HttpRequest, run: ImportRun, spec: ImportSpec) -> dict[str, str]:
    titles = set(run.header) - {""}
    posted = {column.field: request.POST.get(PREFIX + column.field, "") for column in spec.columns}
    return {field: title for field, title in posted.items() if title in titles}


def _errors(chosen: dict[str, str], spec: ImportSpec, *, corrections: bool, match: str) -> list[str]:
    errors = []
    lacking = missing_columns(chosen, spec, corrections=corrections, match=match)
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
        if title in seen:
            errors.append(f"The column {title[:60]} is chosen twice: for {seen[title]} and for {field}.")
        seen.setdefault(title, field)
    return errors


def _plan(request: HttpRequest, run: ImportRun, chosen: dict[str, str], *, corrections: bool) -> HttpResponse:
    try:
        run = set_options(run, chosen_options(run, chosen, corrections=corrections), actor=actor_of(request))
        headers.remember(run.header, spec_named(run.spec), chosen, actor=actor_of(request))
        start_planning(run)
    except ImportFailure as refusal:
        messages.error(request, str(refusal))
    return HttpResponseRedirect(run_url(run))


def _fields(run: ImportRun, spec: ImportSpec, chosen: dict[str, str], sample: list[list[str]]) -> list[dict[str, Any]]:
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
                "required": column.required,
                "names_object": column.field in names,
            }
        )
    return fields
