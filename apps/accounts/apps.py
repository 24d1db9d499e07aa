"""The app of logging in: lock-outs, idle sessions, the second factor, single sign-on, users' pages."""

from axes.apps import AppConfig as AxesConfig
from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django_otp.plugins.otp_totp.apps import DefaultConfig


class AccountsConfig(AppConfig):
    name = "apps.accounts"
    verbose_name = "Accounts"
    default = True

    def ready(self) -> None:
        from axes.signals import user_locked_out

        from apps.accounts import idle, log, second_factor
        from apps.changesets.hooks import PROOFS

        user_logged_in.connect(log.tell_login, dispatch_uid="accounts.log")
        user_logged_in.connect(idle.note_login, dispatch_uid="accounts.idle")
        user_logged_in.connect(second_factor.note_due, dispatch_uid="accounts.second_factor")
        user_logged_out.connect(log.tell_logout, dispatch_uid="accounts.log")
        user_login_failed.connect(log.tell_failure, dispatch_uid="accounts.log")
        user_locked_out.connect(log.tell_lockout, dispatch_uid="accounts.log")
        PROOFS.add(second_factor.where_to_prove)


class LockoutConfig(AxesConfig):
    """Axes under a name that says what it has."""

    verbose_name = "Logins"


class SecondFactorConfig(DefaultConfig):
    """The devices under a name that says what they are."""

    verbose_name = "Second factors"
