"""The forms of an import: the file and how it is taken, other options for the same file, and the confirmation."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from django import forms
from django.forms.boundfield import BoundField, BoundWidget
from django.utils import timezone
from import_export.forms import ImportForm

from apps.changesets.acts.forms import LONGEST_REASON, NO_REASON
from apps.changesets.pages.choices import offer
from apps.changesets.text import whole_number
from apps.imports.reading.encodings import ENCODINGS
from apps.imports.reading.rows import Reading
from apps.imports.results import NULL_WORDS, ImportOptions
from apps.imports.spec import ImportSpec

SNAPSHOT, CORRECTIONS = "snapshot", "corrections"
# value, label, one line of help
BLANKS = (
    ("", "Default", "A snapshot clears the value, corrections keep it."),
    ("keep", "Keeps the value here", "Only filled cells change anything."),
    ("clear", "Clears the value here", "What is blank in the file becomes empty."),
)
BAD_CELLS = (
    ("", "Default", "A snapshot loses the row, corrections only the cell."),
    ("row", "Refuses its row", "The row can be mended and uploaded again."),
    ("cell", "Refuses only itself", "The rest of the row is taken, where blank cells keep the value."),
)
LOCAL_EDITS = (
    ("keep", "Keep them", "They are listed, and each can be decided about."),
    ("overwrite", "Overwrite them", "The file's values are taken; ours stay in history."),
    ("abort", "Stop", "If any value would be overwritten, nothing is planned."),
)
MISSING = (
    ("report", "Only report them", "They are listed and stay as they are."),
    ("deactivate", "Deactivate them", "They stay, marked as not active."),
    ("delete", "Delete them", "They can be brought back by reverting the import."),
)
Choice = tuple[str, str, str]


class OptionsForm(forms.Form):
    """How a file is taken; what a spec cannot do is not asked."""

    source = forms.ChoiceField(label="The file is", widget=forms.RadioSelect)
    blank = forms.ChoiceField(label="A blank cell", widget=forms.RadioSelect, required=False)
    bad_cell = forms.ChoiceField(label="A cell that breaks a rule", widget=forms.RadioSelect, required=False)
    null_words = forms.CharField(
        label="Words for no value",
        help_text="Cells with one of these words count as blank, where a column may be blank. Separate them by spaces.",
        initial=" ".join(sorted(NULL_WORDS)),
        max_length=LONGEST_REASON,
        required=False,
    )
    match = forms.ChoiceField(
        label="Match by",
        help_text="Each row is about the object with this key; other keys in the file are ignored.",
        required=False,
    )
    ignore_case = forms.BooleanField(
        label="Ignore case",
        help_text="Keys in lower case match, too.",
        required=False,
    )
    on_local_edit = forms.ChoiceField(
        label="Values that were corrected here and changed in the file", widget=forms.RadioSelect, initial="keep"
    )
    missing = forms.ChoiceField(label="Objects that are not in the file", widget=forms.RadioSelect, initial="report")
    missing_limit = forms.FloatField(
        label="At most, in percent of all",
        help_text="More than that are never deactivated or deleted: raise the limit only if you are sure.",
        min_value=0,
        max_value=100,
        initial=1,
    )
    links = forms.MultipleChoiceField(label="Links", widget=forms.CheckboxSelectMultiple, required=False)

    HELP: dict[str, tuple[Choice, ...]] = {
        "blank": BLANKS,
        "bad_cell": BAD_CELLS,
        "on_local_edit": LOCAL_EDITS,
        "missing": MISSING,
    }
    # What only a snapshot knows of, and what is seldom changed.
    OF_SNAPSHOTS = ("on_local_edit", "missing", "missing_limit")

    def ask(self, spec: ImportSpec) -> None:
        """Ask what an import of this spec can be asked; called once the fields are there."""
        self.spec = spec
        name = spec.model._meta.verbose_name
        help_text = f"Only the values in the file are changed; no {name} counts as missing."
        sources = [(CORRECTIONS, "Corrections by hand", help_text)]
        if spec.upstream:
            title = spec.upstream_title or spec.name
            whole = "The complete file: corrections made here are kept, missing objects are listed."
            sources.insert(0, (SNAPSHOT, f"A snapshot of {title}", whole))
        self.helps = {**self.HELP, "source": tuple(sources)}
        for field, choices in self.helps.items():
            offer(self, field, [(value, label) for value, label, _help in choices])
        self.fields["source"].initial = sources[0][0]
        keys = [(word, choice.title) for word, choice in spec.match_choices.items()]
        offer(self, "match", [("", "The usual keys"), *keys])
        links = [link.field for link in spec.linker.links] if spec.linker else []
        offer(self, "links", [(field, f"Link each {name} with its {field}") for field in links])
        self.fields["links"].initial = links
        for field in () if spec.upstream else self.OF_SNAPSHOTS:
            del self.fields[field]
        if not links:
            del self.fields["links"]
        for field in {"blank", "bad_cell", "missing_limit", "on_local_edit", "missing"} & self.fields.keys():
            self.fields[field].required = False

    def choices_of(self, name: str) -> Iterator[tuple[BoundWidget, str]]:
        """Yield each choice of a field with its line of help."""
        for radio, (_value, _label, line) in zip(self[name], self.helps[name], strict=True):
            yield radio, line

    def groups(self) -> Iterator[tuple[BoundField, list[tuple[BoundWidget, str]]]]:
        """Yield the seldom changed fields that have choices, each with its choices."""
        for name in ("blank", "bad_cell", "on_local_edit", "missing"):
            if name in self.fields:
                yield self[name], list(self.choices_of(name))

    def source_choices(self) -> list[tuple[BoundWidget, str]]:
        """Return the choices of what the file is."""
        return list(self.choices_of("source"))

    @property
    def has_seldom(self) -> bool:
        """Whether something seldom changed is wrong, and must be shown."""
        return bool({"blank", "bad_cell", "links", "match", "ignore_case", *self.OF_SNAPSHOTS} & self.errors.keys())

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        if cleaned.get("source") == CORRECTIONS and cleaned.get("missing") in ("deactivate", "delete"):
            self.add_error("missing", "Corrections by hand do not list every object: nothing of them is missing.")
        if not self.errors and cleaned.get("bad_cell") == "cell" and self.options().blank_clears:
            self.add_error("bad_cell", "A refused cell must not clear a value: let blank cells keep it.")
        if cleaned.get("source") == SNAPSHOT and cleaned.get("ignore_case"):
            self.add_error("ignore_case", "Only keys of corrections may be in another case.")
        return cleaned

    def options(self, base: ImportOptions | None = None) -> ImportOptions:
        """Return the options as cleaned, on top of those that the form does not ask."""
        cleaned = self.cleaned_data
        links = {link.field for link in self.spec.linker.links} if self.spec.linker else set()
        limit = cleaned.get("missing_limit")
        return replace(
            base or ImportOptions(),
            corrections=cleaned["source"] == CORRECTIONS,
            blank=cleaned.get("blank") or "",
            bad_cell=cleaned.get("bad_cell") or "",
            null_words=frozenset(cleaned["null_words"].split()) if "null_words" in self.data else NULL_WORDS,
            match=cleaned.get("match") or "",
            ignore_case=cleaned.get("ignore_case", False),
            on_local_edit=cleaned.get("on_local_edit") or "keep",
            missing=cleaned.get("missing") or "report",
            missing_limit=1.0 if limit is None else limit,
            skip_links=frozenset(links - set(cleaned.get("links", ()))),
        )


class FormatField(forms.ChoiceField):
    """A format by its name, or by its place among the formats, which is what the package's own form posts."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        names = [str(name) for name, _label in self.widget.choices if name]
        place = whole_number(text)
        return names[place] if place is not None and place < len(names) else text


class UploadForm(OptionsForm, ImportForm):
    """The first step: the file, how it is read and taken, and why."""

    format = FormatField(label="Format", required=False, help_text="What the file is, whatever its name ends with.")
    encoding = forms.ChoiceField(
        label="Encoding",
        choices=[("", "Find out from the file"), *ENCODINGS.items()],
        required=False,
        help_text="For text files; choose it if names look wrong.",
    )
    reason = forms.CharField(
        label="Why",
        max_length=LONGEST_REASON,
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        help_text="Others will read it beside the changes.",
        error_messages={"required": NO_REASON},
    )
    source_title = forms.CharField(
        label="Whose corrections",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        help_text="Such as National AIP; it stands beside each value. Empty: the name of the file.",
    )
    field_order = ("resource", "import_file", "source", "source_title", "reason", "format", "encoding")

    def __init__(self, formats: Any, resources: Any, *, spec: ImportSpec, **kwargs: Any) -> None:
        super().__init__(formats, resources, **kwargs)
        titles = [form().get_title() for form in formats]
        offer(self, "format", [("", "Find out from the file"), *((title, title.upper()) for title in titles)])
        self.fields["import_file"].label = "File"
        self.fields["import_file"].help_text = "CSV, TSV, XLSX, ODS or JSON, up to 200 MB."
        self.fields["import_file"].error_messages = {
            "required": "Choose the file to import.",
            "empty": "The file is empty.",
        }
        for name in ("import_file", "format"):
            # The class that the package's script looks for.
            self.fields[name].widget.attrs.pop("class", None)
        self.ask(spec)

    @property
    def media(self) -> forms.Media:
        """No script: the format is detected from the file."""
        return forms.Media()

    def options(self, base: ImportOptions | None = None) -> ImportOptions:
        """Return the options as cleaned, and whose values the file has."""
        return replace(super().options(base), source_title=self.cleaned_data.get("source_title") or "")

    def how(self) -> Reading:
        """Return how the person says that the file is read."""
        return Reading(format=self.cleaned_data["format"], encoding=self.cleaned_data["encoding"])


class PlanAgainForm(OptionsForm):
    """Other options and columns for the same file."""

    columns = forms.MultipleChoiceField(
        label="Columns to take",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Tick at least one column."},
    )

    def __init__(self, *args: Any, spec: ImportSpec, options: ImportOptions, taken: dict[str, str], **kwargs: Any):
        # What names an object is taken in any case.
        named = {*spec.key_fields, *spec.match_columns}
        taken = {field: title for field, title in taken.items() if field not in named}
        self.all_columns = taken
        initial = {
            "source": CORRECTIONS if options.corrections or not spec.upstream else SNAPSHOT,
            "blank": options.blank,
            "bad_cell": options.bad_cell,
            "null_words": " ".join(sorted(options.null_words)),
            "match": options.match,
            "ignore_case": options.ignore_case,
            "on_local_edit": options.on_local_edit,
            "missing": options.missing,
            "missing_limit": options.missing_limit,
            "links": [link.field for link in spec.linker.links if link.field not in options.skip_links]
            if spec.linker
            else [],
            "columns": [field for field in taken if options.columns is None or field in options.columns],
        }
        super().__init__(*args, **{**kwargs, "initial": initial})
        self.ask(spec)
        offer(self, "columns", taken.items())

    def options(self, base: ImportOptions | None = None) -> ImportOptions:
        """Return the chosen options; all columns ticked means all that the file has."""
        columns = frozenset(self.cleaned_data["columns"])
        options = super().options(base)
        return replace(options, columns=None if columns == set(self.all_columns) else columns)


class ConfirmForm(forms.Form):
    """When to start, and whether it goes past the limits."""

    past_limits = forms.BooleanField(label="Import anyway", required=False)
    start_at = forms.DateTimeField(
        label="Start",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        error_messages={"invalid": "Give day and time, or leave it empty to start at once."},
    )

    def clean_start_at(self) -> datetime | None:
        start_at = self.cleaned_data["start_at"]
        if start_at is not None and start_at <= timezone.now():
            raise forms.ValidationError("That time has passed: give a later one, or leave it empty to start at once.")
        return start_at
