"""The form of the login page."""

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError

from apps.accounts.lockout import sentence


class LoginForm(AdminAuthenticationForm):
    """Says until when a name is locked out, instead of that the password is wrong."""

    def get_invalid_login_error(self) -> ValidationError:
        if self.request is not None and getattr(self.request, "axes_locked_out", False):
            return ValidationError(sentence(self.request, self.cleaned_data["username"]), code="locked_out")
        return super().get_invalid_login_error()
