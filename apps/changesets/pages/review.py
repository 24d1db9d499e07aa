"""The admin's acts on changesets: revert many at once, mark them reviewed, name direct writes."""

from collections.abc import Callable

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.http import urlencode

from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.methods import DOES, page_at, turned_away
from apps.changesets.acts.review import (
    found_to_be,
    mark_reviewed,
    name_direct,
    next_to_review,
    take_back_review,
    unreviewed,
)
from apps.changesets.errors import ChangesetError, UnknownChangeset
from apps.changesets.models import Changeset, ReviewVerdict
from apps.changesets.pages import links
from apps.changesets.pages.plan_query import MANY
from apps.changesets.pages.revert import revert_page


class ReviewForm(forms.Form):
    """What the reviewer found, and a comment, which may be empty."""

    verdict = forms.CharField(required=False, empty_value=ReviewVerdict.FINE)
    comment = forms.CharField(max_length=1000, required=False)


class NamingForm(forms.Form):
    """The reason of a direct write and, where it is known, the person."""

    reason = forms.CharField(max_length=1000, error_messages={"required": "Say why it was done."})
    who = forms.CharField(max_length=150, required=False)


class ReviewedFilter(admin.SimpleListFilter):
    """Reviewed or not, with the number of those that are not, and what the reviewers found."""

    title = "review"
    parameter_name = "reviewed"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        waiting = unreviewed(Changeset.objects.all()).count()
        return [("no", f"Not reviewed ({waiting:,})"), ("yes", "Reviewed"), *ReviewVerdict.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "no":
            return unreviewed(queryset)
        if self.value() in ReviewVerdict.values:
            return found_to_be(self.value() or "", queryset)
        return queryset.filter(reviewed_at__isnull=False) if self.value() == "yes" else queryset


def _plan_many(**about: str) -> HttpResponse:
    """Have the plan of reverting several changesets made: what was posted to the list is posted on."""
    address = f"{links.model_url(Changeset, 'revert_many')}?{urlencode({**about, 'show': 'plan'})}"
    return HttpResponseRedirect(address, preserve_request=True)


class ActingAdmin(admin.ModelAdmin):
    """The part of the changesets' admin that changes something; each act is a POST with a permission of its own."""

    actions = ("revert_selected", "revert_since")

    def get_urls(self) -> list[URLPattern]:
        return [
            page_at("revert/", self, revert_page, "revert_many"),
            page_at("<int:pk>/review/", self, ActingAdmin.review_view, "review"),
            page_at("<int:pk>/unreview/", self, ActingAdmin.unreview_view, "unreview"),
            page_at("<int:pk>/name/", self, ActingAdmin.name_view, "name"),
            *super().get_urls(),
        ]

    def has_revert_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(links.REVERT)

    @admin.action(description="Revert the selected changesets…", permissions=["revert"])
    def revert_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        chosen = list(queryset.order_by("-pk").values_list("pk", flat=True)[: MANY + 1])
        if len(chosen) > MANY:
            self.message_user(request, f"At most {MANY} changesets can be reverted at once.", messages.ERROR)
            return None
        return _plan_many(ids=",".join(map(str, chosen)))

    @admin.action(description="Revert everything since the selected one…", permissions=["revert"])
    def revert_since(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        return _plan_many(since=str(queryset.earliest("pk").pk))

    def review_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        def act(answers: dict[str, str]) -> str:
            actor = actor_of(request)
            made = mark_reviewed(pk, actor=actor, **answers)
            sentence = f"{made} is marked as reviewed: {made.verdict}."
            following = next_to_review(pk, actor=actor)
            if following is None:
                return f"{sentence} No other changeset waits for your review."
            url = links.changeset_url(following.pk)
            return format_html('{} Next not reviewed: <a href="{}">{}</a>', sentence, url, following)

        return self._act(request, pk, ReviewForm, act)

    def unreview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._act(
            request,
            pk,
            forms.Form,
            lambda answers: f"{take_back_review(pk, actor=actor_of(request))} is not reviewed any more.",
        )

    def name_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        def act(answers: dict[str, str]) -> str:
            named = name_direct(pk, actor=actor_of(request), **answers)
            return f"{named} has a reason now."

        return self._act(request, pk, NamingForm, act)

    def _act(
        self, request: HttpRequest, pk: int, form_class: type[forms.Form], act: Callable[[dict[str, str]], str]
    ) -> HttpResponse:
        """Check permission, method and form, do the act, and lead to the changeset with a sentence."""
        may = request.user.has_perm(links.REVIEW) and self.has_view_permission(request)
        if (refused := turned_away(request, DOES, may=may)) is not None:
            return refused
        form = form_class(request.POST)
        try:
            if not form.is_valid():
                raise ChangesetError(next(iter(form.errors.values()))[0])
            self.message_user(request, act(form.cleaned_data), messages.SUCCESS)
        except UnknownChangeset as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(links.changesets_url())
        except ChangesetError as error:
            self.message_user(request, str(error), messages.ERROR)
        return HttpResponseRedirect(links.changeset_url(pk))
