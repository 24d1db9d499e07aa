"""What every admin of the site bounds: how it is asked, how much is searched for, and the keys that strangers send."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Field, IntegerField, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from apps.changesets.acts.methods import ASKS, READS, turned_away
from apps.changesets.pages.bulk import NOTHING_TICKED
from apps.changesets.pages.bulk_registry import actions_of
from apps.changesets.text import MOST_WORDS, searched


class BoundedAdmin(ModelAdmin):
    """Stands before the admin of each model that is registered."""

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Search for the first words: of the list, the recycle bin, a moment, and where an object is chosen."""
        if SEARCH_VAR in request.GET and len({*search_term.casefold().split()}) > MOST_WORDS:
            self.message_user(request, f"Only the first {MOST_WORDS} words are searched for.", messages.WARNING)
        return super().get_search_results(request, queryset, searched(search_term))

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        """Show the list; it takes posts where there is something to do with it, about keys that there can be."""
        # Who may not act where others may is told so by the list itself.
        acts = bool(self.actions or actions_of(self.opts.label_lower) or self.get_actions(request))
        may = self.has_view_or_change_permission(request)
        if (refused := turned_away(request, ASKS if acts else READS, may=may)) is not None:
            return refused
        if not _can_be(self.opts.pk, request.POST.getlist(ACTION_CHECKBOX_NAME)):
            self.message_user(request, NOTHING_TICKED, messages.WARNING)
            return HttpResponseRedirect(request.get_full_path())
        return super().changelist_view(request, extra_context)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict | None = None) -> HttpResponse:
        """Show the history of an object."""
        # Who may read it, Django asks of the object.
        may = request.method in READS or self.has_view_or_change_permission(request)
        return turned_away(request, READS, may=may) or super().history_view(request, object_id, extra_context)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return what the address says that the form begins with, without keys that no object can have."""
        initial = super().get_changeform_initial_data(request)
        return {name: value for name, value in initial.items() if _can_be(self._target_of(name), value)}

    def _target_of(self, name: str) -> Any:
        try:
            field: Any = self.opts.get_field(name)
        except FieldDoesNotExist:
            return None
        return field.target_field if field.is_relation else None


def _can_be(key: Field | None, values: Any) -> bool:
    """Whether a key, or each of several, can be one of this field; without a field there is nothing against it."""
    try:
        for value in values if isinstance(values, list) else [values]:
            if isinstance(key, IntegerField):
                # Numbers have bounds; a text may be one that no form would take, and be there all the same.
                key.clean(value, None)
            elif key is not None:
                key.to_python(value)
    except ValidationError:
        return False
    return True
