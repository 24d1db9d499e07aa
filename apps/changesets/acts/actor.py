"""The user who acts on a page."""

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest


def actor_of(request: HttpRequest) -> User:
    """Return the user who asks; raises PermissionDenied for somebody who has not logged in, whom pages never see."""
    if not request.user.is_authenticated:
        raise PermissionDenied
    return request.user
