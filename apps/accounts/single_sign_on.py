"""Single sign-on by OpenID Connect; imported only where the settings name a provider."""

import logging
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import SuspiciousOperation
from django.db.models import QuerySet
from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from requests import RequestException

logger = logging.getLogger(__name__)


class SingleSignOn(OIDCAuthenticationBackend):
    """Logs in the one active user who has the e-mail that the provider has verified; makes and changes no user."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        try:
            return super().authenticate(request, **credentials)
        except (RequestException, SuspiciousOperation, ValueError) as error:
            logger.warning("Single sign-on failed: %s", error)
            return None

    def verify_claims(self, claims: dict[str, Any]) -> bool:
        # Whoever could choose an e-mail at the provider would be anybody here.
        return bool(claims.get("email")) and str(claims.get("email_verified")).lower() == "true"

    def filter_users_by_claims(self, claims: dict[str, Any]) -> "QuerySet[User]":
        return super().filter_users_by_claims(claims).filter(is_active=True)

    def update_user(self, user: User, claims: dict[str, Any]) -> User:
        return user
