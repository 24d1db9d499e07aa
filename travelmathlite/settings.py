"""Settings of the console: everything that differs between machines comes from the environment.

Environment variables are read here, those of logging in in `logins.py`, and nowhere else; docs/settings.md lists them.
With none of them set, the console runs for development. A value that cannot be read stops the start with a sentence.
"""

import os
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from travelmathlite.caching import caches_of
from travelmathlite.environment import (
    folder_of,
    read_address,
    read_bool,
    read_choice,
    read_database,
    read_email,
    read_folder,
    read_limit,
    read_list,
    read_number,
    read_or_make_secret,
    read_redis,
    read_time_zone,
)
from travelmathlite.logins import *  # noqa: F403
from travelmathlite.logins import AUTHENTICATION_BACKENDS, SINGLE_SIGN_ON

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_IS_SET = bool(os.environ.get("SECRET_KEY", "").strip())
DEBUG = read_bool("DEBUG", default=not SECRET_IS_SET)
SECRET_KEY = read_or_make_secret("SECRET_KEY", file=BASE_DIR / ".secret_key")
ALLOWED_HOSTS = read_list("ALLOWED_HOSTS")
# Backups are signed with this secret; without one a key is made in this file, outside the backups.
BACKUP_SIGNING_KEY = os.environ.get("BACKUP_SIGNING_KEY", "").strip()
BACKUP_SIGNING_KEY_FILE = BASE_DIR / ".backup_signing_key"
BACKUP_DIR = read_folder("BACKUP_DIR") or BASE_DIR / "backups"

INSTALLED_APPS = [
    # Ours come first, so that their commands and templates win over the packages' own.
    "travelmathlite.apps.ConsoleConfig",
    "apps.airports",
    "apps.base",
    "apps.imports",
    "apps.backups",
    "apps.quality",
    "apps.accounts",
    "apps.changesets",
    "travelmathlite.apps.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.humanize",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_object_actions",
    "import_export",
    "simple_history",
    "csp",
    "django_tasks",
    "django_tasks_db",
    "apps.accounts.apps.LockoutConfig",
    "django_otp",
    "django_otp.plugins.otp_static",
    "apps.accounts.apps.SecondFactorConfig",
]
if SINGLE_SIGN_ON:
    INSTALLED_APPS += ["mozilla_django_oidc"]
    AUTHENTICATION_BACKENDS = [*AUTHENTICATION_BACKENDS, "apps.accounts.single_sign_on.SingleSignOn"]

MIDDLEWARE = [
    "travelmathlite.logs.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "travelmathlite.characters.CharactersMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "travelmathlite.routing.ReplicaMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "apps.accounts.idle.IdleMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "travelmathlite.failures.FailureMiddleware",
    "axes.middleware.AxesMiddleware",
]

# A page waits so long for others who write; commands and workers have patience of their own.
PAGES_WAIT_SECONDS = 5

ROOT_URLCONF = "travelmathlite.urls"
TEST_RUNNER = "travelmathlite.testing.PytestRunner"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": read_database("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        # IMMEDIATE and a wait longer than the longest apply: writers queue instead of failing half way.
        "transaction_mode": "IMMEDIATE",
        "timeout": 120,
        # recursive_triggers lets the recording see the delete inside INSERT OR REPLACE.
        "init_command": (
            "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA recursive_triggers=ON;PRAGMA cache_size=-40960;"
        ),
    }
else:
    # A pool hands connections on between requests; commands and tests open one and keep it. A connection that died in
    # the pool, because PostgreSQL was started anew, is replaced before a page gets it.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    OPTIONS = DATABASES["default"].setdefault("OPTIONS", {})
    OPTIONS["pool"] = {"min_size": 1, "max_size": 8, "timeout": 10}
    OPTIONS.setdefault("connect_timeout", 5)
    # Large set-based statements look dear to the planner, and compiling them takes longer than running them.
    OPTIONS.setdefault("options", "-c jit=off")
# How many processes the web server has: gunicorn reads the same variable, and a check counts their connections.
WEB_PROCESSES = read_number("WEB_CONCURRENCY", default=1, least=1)

DATABASE_ROUTERS = ["travelmathlite.routing.ReplicaRouter"]
# A replica that is further behind is not read from; without a log, who wrote reads from the primary for so long.
REPLICA_LAG_SECONDS = 15
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 8 if DEBUG else 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = read_time_zone("TIME_ZONE", default="UTC")
USE_I18N = USE_TZ = USE_THOUSAND_SEPARATOR = True

STATIC_URL = "static/"
STATIC_ROOT = read_folder("STATIC_ROOT") or BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# While developing, files come straight from their folders; a server needs `collectstatic` first.
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = DEBUG

# simple-history presents what the database records; "newest" goes by history_id, so its dates need no index.
SIMPLE_HISTORY_DATE_INDEX = False
SIMPLE_HISTORY_REVERT_DISABLED = True
SIMPLE_HISTORY_ENFORCE_HISTORY_MODEL_PERMISSIONS = False
SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True

# Tables, or patterns such as "otp_*", whose rows no backup has, beside those of sessions, tokens and throttles.
BACKUPS_LEAVE_OUT: list[str] = []
# Whether a backup is made before each import, bulk deletion and migration that drops data.
BACKUPS_AUTOMATIC = True

# Files of runs, work that is unpacked, and caches: a folder of each database's own, or the one that the environment
# names, which is then for one database, and shared by all machines that use it.
VAR_DIR = read_folder("VAR_DIR") or folder_of(DATABASES["default"], base=BASE_DIR / "var")
# Imports. Files of runs are kept compressed; progress and the wish to cancel travel through a cache that all processes
# share, since on SQLite a long import locks every other writer of the database out.
STORAGES["imports"] = {
    "BACKEND": "apps.changesets.processes.private_storage.PrivateStorage",
    "OPTIONS": {"location": VAR_DIR / "imports"},
}
# The Redis server through which several machines share progress and figures; without it they are in VAR_DIR.
CACHE_URL = read_redis("CACHE_URL")
CACHES = caches_of(CACHE_URL, folder=VAR_DIR)

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}}
# Files up to this many bytes, unpacked, are planned and applied at once, larger ones by a worker (`db_worker`).
IMPORTS_AT_ONCE_BYTES = 512 * 1024
# More changed rows of an import, or objects of a bulk action or a revert, need a second person to confirm; None: never.
IMPORTS_SECOND_PERSON_ABOVE: int | None = None
ACTS_SECOND_PERSON_ABOVE = read_limit("ACTS_SECOND_PERSON_ABOVE")
# A run whose worker was not heard of for so many seconds has failed.
IMPORTS_LEASE_SECONDS = 30
# An import is stopped, unless somebody who may says to go past it, when it would close more than so many percent of
# the airports, move more than so many percent by more than so many km, or let the share of linked airports fall by more
# than so many points; None: never. So many airports may always.
GATE_CLOSED_PERCENT: float | None = 5
GATE_MOVED_PERCENT: float | None = 1
GATE_MOVED_KM = 50
GATE_LINK_POINTS: float | None = 2
GATE_ALWAYS_ALLOWED = 100
# So many imports of one person may be open at a time; and of the files that they uploaded and did not import, so many
# bytes are kept.
IMPORTS_OPEN_RUNS = 20
IMPORTS_KEPT_BYTES = 1024**3
# Whether an address that is fetched may lead on into the own network.
IMPORTS_URL_PRIVATE = read_bool("IMPORTS_URL_PRIVATE", default=False)
# How many days files and plans of runs are kept; a plan that nobody confirms for so long ends.
IMPORTS_KEEP_FILES_DAYS = 400
IMPORTS_KEEP_PLANS_DAYS = 30
# Backups of single objects go to the storage STORAGES["object_backups"], if there is one; of others a copy goes to
# STORAGES["backups"], encrypted for these keys (ids, addresses) of the gpg keyring in this folder (None: gpg's own).
BACKUPS_ENCRYPT_TO: list[str] = []
# Whether a copy that is not encrypted may not leave.
BACKUPS_DEMAND_ENCRYPTION = False
BACKUPS_GPG_HOME: Path | None = None
# What is about no more bytes than this, the admin does while the browser waits; anything else a process of its own.
BACKUPS_AT_ONCE_BYTES = 64 * 1024 * 1024

# Health. Less room than this on a disk that the console writes to is too little.
HEALTH_FREE_BYTES = 1024**3
# Who is told when something needs somebody: addresses of people, and the address that a webhook is posted to, which is
# signed with the key. One in the own network must be allowed.
ALERT_EMAIL = read_list("ALERT_EMAIL")
ALERT_WEBHOOK_PRIVATE = read_bool("ALERT_WEBHOOK_PRIVATE", default=False)
ALERT_WEBHOOK = read_address("ALERT_WEBHOOK", http=ALERT_WEBHOOK_PRIVATE)
ALERT_WEBHOOK_KEY = os.environ.get("ALERT_WEBHOOK_KEY", "").strip()
vars().update(read_email("EMAIL_URL"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = os.environ.get("EMAIL_FROM", "").strip() or "travelmathlite@localhost"

# A file that is too large is cut off while it arrives.
FILE_UPLOAD_HANDLERS = [
    "apps.imports.uploading.LimitedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "import"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"

X_FRAME_OPTIONS = "DENY"
# Enforced everywhere, so that a page with something inline fails on the desk of who writes it.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
if not DEBUG:
    SECURE_SSL_REDIRECT = True
    # Who watches asks from near, past the proxy.
    SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    # Browsers that have the name in their list do not forget it for months: only who asks for it gets there.
    SECURE_HSTS_PRELOAD = read_bool("HSTS_PRELOAD", default=False)
    SILENCED_SYSTEM_CHECKS = ["security.W021"]
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# Lines of the log are text for people or JSON for programs, and carry the id of the request.
LOG_FORMAT = read_choice("LOG_FORMAT", choices=("text", "json"), default="text")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"format": "{asctime} {levelname} {name}{bracketed}: {message}", "style": "{"},
        "json": {"()": "travelmathlite.logs.JsonLines"},
    },
    "filters": {"request": {"()": "travelmathlite.logs.WithRequestId"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["request"]}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    # Django's own handlers go, so that each line is written once and also where DEBUG is off.
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},
        "apps": {"level": "INFO"},
        # It tells of each attempt to connect; what comes of them is told once, by whoever waited.
        "psycopg.pool": {"level": "ERROR"},
        # Our own lines tell the same.
        "axes": {"level": "ERROR"},
    },
}
# Where Sentry is told of failures: where in the code, and never with which values.
SENTRY_DSN = os.environ.get("SENTRY_DSN", "").strip()
