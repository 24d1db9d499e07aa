"""Users and groups within what one has oneself; the logs of logins, lock-outs and second factors, for superusers."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import django_otp.plugins.otp_static.admin
import django_otp.plugins.otp_totp.admin  # noqa: F401
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.accounts import second_factor
from apps.accounts.lockout import living_attempts, locked_until, name_locked_until, unlock
from apps.accounts.log import tell
from apps.changesets.acts.methods import proof_first
from apps.changesets.pages import show
from apps.changesets.pages.read_only import ReadOnlyAdmin
from apps.changesets.text import counted


def permissions_of(person: Any) -> "QuerySet[Permission]":
    """Return the permissions of a person, whether active or not; of a superuser all."""
    if person.is_superuser:
        return Permission.objects.all()
    return Permission.objects.filter(Q(user=person) | Q(group__user=person)).distinct()


def groups_within(person: Any) -> "QuerySet[Group]":
    """Return the groups that have no permission which this person lacks."""
    beyond = Permission.objects.exclude(pk__in=permissions_of(person).values("pk"))
    return Group.objects.exclude(pk__in=Group.objects.filter(permissions__in=beyond).values("pk"))


def has_more(owner: User | Group, *, than: Any) -> bool:
    """Whether a user or group may do something that this person may not."""
    if than.is_superuser:
        return False
    if isinstance(owner, Group):
        return not groups_within(than).filter(pk=owner.pk).exists()
    return owner.is_superuser or permissions_of(owner).exclude(pk__in=permissions_of(than).values("pk")).exists()


FLAGS = ("is_staff", "is_superuser")
for model in (User, Group, TOTPDevice, StaticDevice):
    admin.site.unregister(model)


class Proved(admin.ModelAdmin):
    """Pages that ask for the second factor, where the settings do."""

    def get_urls(self) -> list[URLPattern]:
        urls = super().get_urls()
        for pattern in urls:
            pattern.callback = self._proved(pattern.callback)
        return urls

    def _proved(self, view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def page(request: HttpRequest, *about: Any, **named: Any) -> HttpResponseBase:
            asked = proof_first(request) if self.has_module_permission(request) else None
            return asked or view(request, *about, **named)

        return page


class WithinOwnPower(Proved):
    """Gives nobody more than whoever changes has, and leaves alone who has more."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not _is_beyond(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not _is_beyond(request, obj)

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        if not request.user.is_superuser:
            offered = permissions_of if db_field.related_model is Permission else groups_within
            kwargs["queryset"] = offered(request.user)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        # The form offers none of it; a list that can be edited would.
        before = self.model._base_manager.filter(pk=obj.pk).first()
        gains = any(getattr(obj, flag, False) and not getattr(before, flag, False) for flag in FLAGS)
        if _is_beyond(request, before) or (gains and not request.user.is_superuser):
            raise PermissionDenied
        super().save_model(request, obj, form, change)


def _is_beyond(request: HttpRequest, obj: Any) -> bool:
    return obj is not None and has_more(obj, than=request.user)


@admin.register(User)
class ConsoleUserAdmin(WithinOwnPower, UserAdmin):
    """The users; only superusers say who enters the console and who is a superuser."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = (*super().get_readonly_fields(request, obj), "last_login", "date_joined")
        return fixed if request.user.is_superuser else (*fixed, *FLAGS)


@admin.register(Group)
class ConsoleGroupAdmin(WithinOwnPower, GroupAdmin):
    """The groups."""


class ForSuperusers(ReadOnlyAdmin):
    """A list that superusers read."""

    show_full_result_count = False
    list_display_links = None
    list_per_page = 50
    title = ""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": self.title, **(extra_context or {})})

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)


class OfAttempts(ForSuperusers):
    """A list of what axes writes down of logins."""

    search_fields = ("username", "ip_address")
    search_help_text = "Search a name or an address"
    ordering = ("-attempt_time",)
    sortable_by = ()

    @admin.display(description="When")
    def when(self, attempt: Any) -> str:
        return show.moment(attempt.attempt_time)

    @admin.display(description="Who", empty_value="no name")
    def who(self, attempt: Any) -> str | None:
        return attempt.username

    @admin.display(description="Address", empty_value="not known")
    def address(self, attempt: Any) -> str | None:
        return attempt.ip_address

    @admin.display(description="Program")
    def program(self, attempt: Any) -> str:
        return str(attempt.user_agent)


@admin.register(AccessLog)
class LoginAdmin(OfAttempts):
    """Who logged in, and out again."""

    title = "Logins"
    list_display = ("when", "who", "address", "until", "program")

    @admin.display(description="Logged out", empty_value="")
    def until(self, login: AccessLog) -> str | None:
        return show.moment(login.logout_time) if login.logout_time else None


@admin.register(AccessFailureLog)
class FailedLoginAdmin(OfAttempts):
    """Who tried to log in and failed."""

    title = "Failed logins"
    list_display = ("when", "who", "address", "locked_out", "program")
    list_filter = ("locked_out",)


@admin.register(AccessAttempt)
class LockoutAdmin(OfAttempts):
    """The failed logins that still count, and the lock-outs that they mean."""

    title = "Failed logins that count, and lock-outs"
    list_display = ("who", "address", "state", "when", "program")
    actions = ("unlock",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[AccessAttempt]":
        return living_attempts()

    @admin.display(description="State")
    def state(self, attempt: Any) -> str:
        if until := locked_until(attempt):
            return f"locked until {until:%H:%M %Z}"
        if attempt.of_name >= settings.LOCKOUT_NAME_LIMIT and (until := name_locked_until(attempt.username)):
            return f"locked at new addresses until {until:%H:%M %Z}"
        return f"{attempt.together} of {settings.AXES_FAILURE_LIMIT}"

    @admin.action(description="Unlock")
    def unlock(self, request: HttpRequest, attempts: "QuerySet[AccessAttempt]") -> None:
        """Let them log in again."""
        for username, address in unlock(attempts):
            tell("login_unlocked", request, username, of=address, by=request.user.get_username())
            messages.success(request, f"Unlocked {username or 'who has no name'} at {address or 'no address'}.")


@admin.register(TOTPDevice)
class SecondFactorAdmin(Proved, ForSuperusers):
    """Who has a second factor; a superuser removes that of somebody who lost it."""

    title = "Second factors"
    list_display = ("user", "since", "codes")
    # Never the key.
    fields = ("user",)
    list_select_related = ("user",)
    search_fields = ("user__username",)
    actions = ("remove",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[TOTPDevice]":
        return super().get_queryset(request).filter(confirmed=True)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return settings.SECOND_FACTOR != second_factor.OFF and super().has_view_permission(request, obj)

    @admin.display(description="Set up")
    def since(self, device: TOTPDevice) -> str:
        return show.moment(device.created_at)

    @admin.display(description="Recovery codes left")
    def codes(self, device: TOTPDevice) -> int:
        return second_factor.recovery_codes_left(device.user)

    @admin.action(description="Remove, since it is lost")
    def remove(self, request: HttpRequest, devices: "QuerySet[TOTPDevice]") -> None:
        """Take the second factors of these people away, with their recovery codes."""
        people = sorted({device.user for device in devices}, key=lambda user: user.get_username())
        for user in people:
            second_factor.remove(user)
            tell("second_factor_removed", request, user.get_username(), by=request.user.get_username())
        messages.success(request, f"Removed the second factor of {counted(len(people), 'person', 'people')}.")
