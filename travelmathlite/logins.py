"""The settings of logging in: lock-outs, idle sessions, the second factor, single sign-on."""

from datetime import timedelta

from django.urls import reverse_lazy

from travelmathlite.environment import read_choice, read_networks, read_number, read_together

# After so many wrong passwords for a name, the address that they came from waits.
AUTHENTICATION_BACKENDS = ["apps.accounts.lockout.LockoutBackend", "django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HANDLER = "apps.accounts.lockout.LockoutHandler"
# After so many wrong passwords for a name, wherever they came from, it waits everywhere but where somebody of that name
# logged in within so many days: who guesses from many addresses does not lock its owner out.
LOCKOUT_NAME_LIMIT = 25
LOCKOUT_KNOWN_DAYS = 30
# The end of a lock-out does not move when somebody tries meanwhile, and a login that works begins to count anew.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "apps.accounts.addresses.address_of"
AXES_LOCKOUT_CALLABLE = "apps.accounts.lockout.answer"
AXES_ENABLE_ACCESS_FAILURE_LOG = True
AXES_ACCESS_FAILURE_LOG_PER_USER_LIMIT = 10_000
# The lists and the lines in the log are ours.
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
# Whose X-Forwarded-For is believed.
TRUSTED_PROXIES = read_networks("TRUSTED_PROXIES")
# A session ends when nothing is done in it for so long; 0: never so.
SESSION_IDLE_MINUTES = read_number("SESSION_IDLE_MINUTES", default=60)
SECOND_FACTOR = read_choice("SECOND_FACTOR", choices=("off", "optional", "required"), default="optional")
OTP_TOTP_ISSUER = "TravelMathLite"
# Single sign-on, where a provider is named. Nothing of it is imported otherwise.
_PROVIDER = read_together(
    "OIDC_RP_CLIENT_ID",
    "OIDC_RP_CLIENT_SECRET",
    "OIDC_OP_AUTHORIZATION_ENDPOINT",
    "OIDC_OP_TOKEN_ENDPOINT",
    "OIDC_OP_USER_ENDPOINT",
    "OIDC_OP_JWKS_ENDPOINT",
)
vars().update(_PROVIDER)
SINGLE_SIGN_ON = bool(_PROVIDER["OIDC_RP_CLIENT_ID"])
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_CREATE_USER = False
OIDC_USE_PKCE = True
OIDC_TIMEOUT = 10
LOGIN_REDIRECT_URL_FAILURE = "/admin/login/?single-sign-on=failed"
