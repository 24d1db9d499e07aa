"""Export from a list of the admin: what the list shows, or the rows that were ticked, as a file."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IS_POPUP_VAR, IncorrectLookupParameters
from django.contrib.admin.views.main import ALL_VAR, PAGE_VAR, ChangeList
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.timezone import localdate
from import_export.admin import ExportMixin
from import_export.forms import ExportForm
from import_export.signals import post_export

from apps.changesets.acts.methods import ASKS, show_page, turned_away
from apps.changesets.pages import links
from apps.changesets.pages.choices import offer
from apps.changesets.pages.filter_words import filter_words
from apps.changesets.rights import may_view
from apps.changesets.text import plural
from apps.imports.export.formats import FORMATS, SUGGESTED, WritesTables
from apps.imports.export.tables import ExportResource, resource_of
from apps.imports.pages.downloads import whole_file
from apps.imports.registry import has_spec, spec_for
from apps.imports.runs.confirming import may_import


class KeysField(forms.MultipleChoiceField):
    """Primary keys of the ticked rows; the page queries them, so no list of all keys is needed to check them."""

    widget = forms.MultipleHiddenInput

    def valid_value(self, value: str) -> bool:
        return True


class FormatForm(ExportForm):
    """Asks for the format; carries the keys of the rows when some were ticked."""

    format = forms.ChoiceField(label="Format", widget=forms.RadioSelect)
    export_items = KeysField(required=False)

    def _init_formats(self, formats: Sequence[type[WritesTables]]) -> None:
        self.formats = formats
        offer(self, "format", [(str(i), form().get_title().upper()) for i, form in enumerate(formats)])
        self.fields["format"].initial = str(formats.index(SUGGESTED)) if SUGGESTED in formats else "0"

    def formats_to_choose(self) -> Iterator[tuple[Any, str]]:
        """Yield the radio button of each format and its line of help."""
        return zip(self["format"], (form.help for form in self.formats), strict=True)

    def chosen(self) -> WritesTables:
        """Return the format that a valid form asks for."""
        return self.formats[int(self.cleaned_data["format"])]()


# Parameters of the page of a list, and not of its filters.
NOT_FILTERS = (PAGE_VAR, ALL_VAR, "_changelist_filters")


class ExportingMixin(ExportMixin):
    """Give a model's list an export of the columns that its import reads; without those there is none.

    Stands before the ModelAdmin among the bases. The permission is `export_<model>`, with that to view what is
    in the file, asked on every step.
    """

    import_export_change_list_template = "admin/imports/list.html"
    export_template_name = "admin/imports/export.html"
    export_form_class = FormatForm
    export_formats = FORMATS

    def get_export_resource_classes(self, request: HttpRequest) -> list[type[ExportResource]]:
        return [resource_of(self.model)]

    def has_export_permission(self, request: HttpRequest) -> bool:
        if not has_spec(self.model) or not super().has_export_permission(request):
            return False
        # The file names what the rows refer to.
        named = (self.model, *(refers.model for refers in spec_for(self.model).referred.values()))
        return all(may_view(request.user, model) for model in named)

    def get_actions(self, request: HttpRequest) -> dict:
        actions = super().get_actions(request)
        if IS_POPUP_VAR not in request.GET and self.has_export_permission(request):
            name = "export_selected"
            actions[name] = (type(self).export_selected, name, "Export selected %(verbose_name_plural)s")
        return actions

    def export_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        """Ask for the format of the ticked rows; when all rows of the list are meant, the filter says which."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        if request.POST.get("select_across") == "1":
            return HttpResponseRedirect(self._address("export", request))
        keys = [str(key) for key in queryset.values_list("pk", flat=True)]
        form = self._form(request, initial={"export_items": keys})
        return self._page(request, form, rows=len(keys), ticked=True)

    def export_action(self, request: HttpRequest) -> HttpResponseBase:
        """Ask for a format (GET), or give the file (POST)."""
        if (refused := turned_away(request, ASKS, may=self.has_export_permission(request))) is not None:
            return refused
        try:
            changelist = self._whole_list(request)
        except IncorrectLookupParameters:
            messages.error(request, "The list cannot be filtered like this: choose the filter again, then export.")
            return HttpResponseRedirect(self._address("changelist"))
        if request.method != "POST":
            return self._page(
                request, self._form(request), rows=changelist.result_count, words=filter_words(changelist)
            )
        return self._answer(request, changelist, self._form(request, data=request.POST))

    def get_export_queryset(self, request: HttpRequest) -> QuerySet:
        return self._whole_list(request).queryset

    def get_export_filename(
        self, request: HttpRequest, queryset: QuerySet, file_format: WritesTables, *, part: bool = False
    ) -> str:
        """Name the model, whether the file has only a part of it, and the day."""
        name = str(self.opts.verbose_name_plural).replace(" ", "-")
        return f"{name}{'-part' if part else ''}-{localdate():%Y-%m-%d}.{file_format.get_extension()}"

    def _answer(self, request: HttpRequest, changelist: ChangeList, form: FormatForm) -> HttpResponseBase:
        keys = request.POST.getlist("export_items")
        rows = self._ticked(changelist.queryset, keys) if keys else changelist.queryset
        number = rows.count() if keys else changelist.result_count
        words = filter_words(changelist)
        if form.is_valid():
            most = form.chosen().most_rows
            if most is None or number <= most:
                return self._file(request, form.chosen(), rows, part=bool(keys or words))
            form.add_error("format", f"A sheet holds {most:,} rows and a header: choose CSV for these {number:,}.")
        return self._page(request, form, rows=number, words=words, ticked=bool(keys))

    def _whole_list(self, request: HttpRequest) -> ChangeList:
        """Return the list as filtered, searched and sorted by the address, whichever page of it was open."""
        filters = request.GET.copy()
        for name in NOT_FILTERS:
            filters.pop(name, None)
        request.GET = filters  # type: ignore[assignment]  # the stubs want one that cannot be changed
        return self.get_changelist_instance(request)

    def _ticked(self, rows: QuerySet, keys: list[str]) -> QuerySet:
        try:
            clean = [self.opts.pk.clean(key, None) for key in keys if "\x00" not in key]
        except ValidationError as error:
            raise BadRequest("The key of a ticked row cannot be read.") from error
        return rows.filter(pk__in=clean)

    def _form(self, request: HttpRequest, **kwargs: Any) -> FormatForm:
        resources = self.get_export_resource_classes(request)
        return self.get_export_form_class()(self.get_export_formats(), resources, **kwargs)

    def _file(self, request: HttpRequest, file_format: WritesTables, rows: QuerySet, *, part: bool) -> FileResponse:
        (resource_class,) = self.get_export_resource_classes(request)
        rows_of_file = resource_class().table(rows)
        name = self.get_export_filename(request, rows, file_format, part=part)
        content_type = file_format.get_content_type()
        response = whole_file(lambda out: file_format.write(rows_of_file, out), name=name, content_type=content_type)
        post_export.send(sender=None, model=self.model)
        return response

    def _page(
        self, request: HttpRequest, form: FormatForm, *, rows: int, words: Sequence[str] = (), ticked: bool = False
    ) -> HttpResponse:
        (resource_class,) = self.get_export_resource_classes(request)
        filtered = bool(words) and not ticked
        context = {
            "title": f"Export {self.opts.verbose_name_plural}",
            "form": form,
            "rows": rows,
            "words": words,
            "filtered": filtered,
            "which": "The" if ticked else "" if filtered else "All",
            "noun": f"{'ticked ' if ticked else ''}{plural(rows, self.opts)}",
            "export_url": self._address("export", request),
            "changelist_url": self._address("changelist", request),
            "columns": resource_class().get_export_headers(),
            "may_import": may_import(request.user, self.model),
        }
        return show_page(self, request, self.export_template_name, context)

    def _address(self, page: str, request: HttpRequest | None = None) -> str:
        """Return the address of a page of this model, with the filter of the request's."""
        address = links.model_url(self.model, page)
        return f"{address}?{request.GET.urlencode()}" if request and request.GET else address
