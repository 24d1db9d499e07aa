"""Import from a list of the admin: the first step, where a file is uploaded and looked at."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern
from import_export.admin import ImportMixin

from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.methods import ASKS, show_page, turned_away
from apps.changesets.pages.links import list_url
from apps.imports.errors import ImportFailure
from apps.imports.export.formats import FORMATS
from apps.imports.mapping import headers
from apps.imports.mapping.layout import effective
from apps.imports.models import ImportRun
from apps.imports.pages.addresses import page_url, run_url
from apps.imports.pages.forms import UploadForm
from apps.imports.reading import sources
from apps.imports.reading.sources import SourceFile, from_path, unpacked_folder
from apps.imports.registry import has_spec, spec_for, spec_named
from apps.imports.results import ImportOptions
from apps.imports.runs.confirming import may_import
from apps.imports.runs.opening import asks_how, is_unsure, open_run, set_options
from apps.imports.tasks import start_planning
from apps.imports.uploading import too_large_upload


class ImportingMixin(ImportMixin):
    """Give a model's list an import; the model has a registered ImportSpec.

    Stands before the ModelAdmin among the bases. The permission is `import_<model>`, and that to view it, asked on
    every step. The package's own confirm step would import without a stored plan: it has no address here.
    """

    import_export_change_list_template = "admin/imports/list.html"
    import_template_name = "admin/imports/upload.html"
    import_form_class = UploadForm
    import_formats = FORMATS

    def get_urls(self) -> list[URLPattern]:
        own = "{}_{}_process_import".format(*self.get_model_info())
        return [url for url in super().get_urls() if url.name != own]

    def has_import_permission(self, request: HttpRequest) -> bool:
        return has_spec(self.model) and may_import(request.user, self.model)

    def get_import_form_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        posted = {"data": request.POST, "files": request.FILES} if request.method == "POST" else {}
        return {**super().get_import_form_kwargs(request), **posted, "spec": spec_for(self.model)}

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Ask for the file and how it is taken (GET), or open a run with it (POST)."""
        if (refused := turned_away(request, ASKS, may=self.has_import_permission(request))) is not None:
            return refused
        form = self.create_import_form(request)
        try:
            if request.method == "POST" and (run := _open(request, form)) is not None:
                return go_on(request, run)
        finally:
            for _name, uploads in request.FILES.lists():
                for upload in uploads:
                    upload.close()
        return self._upload_page(request, form)

    def _upload_page(self, request: HttpRequest, form: UploadForm) -> HttpResponse:
        context = {
            "title": f"Import {self.opts.verbose_name_plural}",
            "form": form,
            "step": 1,
            "columns": [column.header for column in spec_for(self.model).columns],
            "changelist_url": list_url(self.model),
        }
        return show_page(self, request, self.import_template_name, context)


def go_on(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """Lead to the next step of an opened run: saying which column is which where that is open, else the plan."""
    spec, options = spec_named(run.spec), ImportOptions.from_json(run.options)
    if effective(options, run.header, spec) != options:
        options = as_corrections(effective(options, run.header, spec))
        set_options(run, options, actor=actor_of(request))
        messages.info(request, "The file was exported from this console: it is taken as corrections by hand.")
    if asks_how(run):
        known = None if is_unsure(run) else headers.recall(run.header, spec)
        if known is None or headers.why_not_again(known, run.header, spec, options):
            return HttpResponseRedirect(page_url(run, "mapping"))
        set_options(run, as_corrections(headers.as_before(options, known)), actor=actor_of(request))
        messages.info(request, "The columns are taken as they were the last time a file had this header.")
    start_planning(run)
    return HttpResponseRedirect(run_url(run))


def as_corrections(options: ImportOptions) -> ImportOptions:
    """Return the options without what contradicts them if they are for corrections: of those nothing is missing."""
    return replace(options, missing="report") if options.corrections else options


def _open(request: HttpRequest, form: UploadForm) -> ImportRun | None:
    """Return the run of the uploaded file; None when the form or the file is refused, with its sentence on the form."""
    form.is_valid()
    if name := too_large_upload(request):
        mb = sources.SIZE_LIMIT // 2**20
        form.errors.pop("import_file", None)
        form.add_error("import_file", f"{name} is larger than {mb} MB: split it, or compress it as CSV with gzip.")
    if form.errors:
        return None
    try:
        with _on_disk(form.cleaned_data["import_file"]) as source:
            return open_run(
                source,
                spec=form.spec,
                options=form.options(),
                actor=actor_of(request),
                reason=form.cleaned_data["reason"],
                how=form.how(),
            )
    except ImportFailure as refusal:
        form.add_error("import_file", str(refusal))
    return None


@contextmanager
def _on_disk(upload: UploadedFile) -> Iterator[SourceFile]:
    """Put an uploaded file on disk, for the length of the block."""
    with unpacked_folder() as folder:
        path = folder / "upload"
        with path.open("wb") as out:
            for chunk in upload.chunks():
                out.write(chunk)
        yield from_path(path, name=upload.name or "")
