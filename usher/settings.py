"""Django's settings; whatever an operator may choose comes from config.py."""

from __future__ import annotations

import datetime as dt
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from usher.config import config
from usher.core import databases, logs
from usher.core.given import is_loopback

given = config()
HERE = Path(__file__).resolve().parent
MB = 1024 * 1024

# Ours
USHER_PEPPER = [part.get_secret_value() for part in given.pepper]
USHER_BASE_URL = given.address
USHER_DEMO = given.demo
USHER_MICROSOFT_CLIENT = (given.microsoft_client_id, given.microsoft_client_secret.get_secret_value())
USHER_MICROSOFT_AUTHORITY = given.microsoft_authority
USHER_MICROSOFT_GRAPH = given.microsoft_graph
USHER_GOOGLE_CLIENT = (given.google_client_id, given.google_client_secret.get_secret_value())
USHER_GOOGLE_ISSUER = given.google_issuer
USHER_GOOGLE_APIS = given.google_apis
USHER_PRIVATE_HOSTS = given.private_hosts
USHER_DNS_SERVER = given.dns_server
USHER_DATA_DIR = given.data_dir.absolute()
USHER_TRUSTED_PROXY_HOPS = given.trusted_proxy_hops
USHER_METRICS_TOKEN = given.metrics_token.get_secret_value()
USHER_WORKER_THREADS = given.worker_threads
USHER_IMPORT_MAX_BYTES = given.import_max_mb * MB

# The house
DEBUG = False
SECRET_KEY = given.secret_key.get_secret_value()
ROOT_URLCONF = "usher.urls"
WSGI_APPLICATION = "usher.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "template_partials",
    "csp",
    "usher.core",
    "usher.events",
    "usher.organizations",
    "usher.people",
    "usher.lifecycle",
    "usher.activities",
    "usher.methods.csv_import",
    "usher.methods.bulk_accounts",
    "usher.methods.invite_code",
    "usher.methods.email_invitation",
    "usher.methods.sso",
    "usher.methods.lti",
    "usher.signin",
    "usher.console",
    "usher.operator",
    "usher.api",
]
MIDDLEWARE = [
    "usher.core.middleware.RequestContext",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "usher.core.sessions.Sessions",
    "usher.people.known_browsers.KnownBrowsers",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "usher.core.middleware.Errors",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "APP_DIRS": True,  # template_partials wraps these in its own and the cached loader
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Data
DATABASES = {
    "default": databases.sqlite(given.sqlite_path) if given.embedded else databases.postgresql(given.database_url)
}

# People
AUTH_USER_MODEL = "people.Account"
AUTHENTICATION_BACKENDS = ["usher.people.sign_in.Backend"]
# Our own hashes are made and checked in people/passwords.py; this one is never asked.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
LOGIN_URL = "/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # proving an address is ours, see people/
ACCOUNT_RATE_LIMITS = False  # ours count in the database, for all processes together
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ALLAUTH_TRUSTED_PROXY_COUNT = given.trusted_proxy_hops

# Two organisations may hold the same address, unseen by each other; people/sign_in.py chooses among them.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]

# The wire
_local = is_loopback(given.host)
ALLOWED_HOSTS = list(dict.fromkeys([given.host, *(["localhost", "127.0.0.1", "[::1]"] if _local else [])]))
CSRF_TRUSTED_ORIGINS = [given.address]
CSRF_COOKIE_HTTPONLY = SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = given.https
# A browser takes a __Host- cookie only from this very host, over TLS: no neighbour can plant one.
SESSION_COOKIE_NAME = "__Host-session" if given.https else "usher_session"
CSRF_COOKIE_NAME = "__Host-csrf" if given.https else "usher_csrf"
SESSION_ENGINE = "usher.core.sessions"
SESSION_COOKIE_AGE = 90 * 24 * 3600  # the longest that somebody stays signed in, used or not
USHER_SESSION_IDLE = dt.timedelta(days=14)  # and the longest without coming back
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if given.https else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
FILE_UPLOAD_HANDLERS = ["usher.core.uploads.MemoryOnly"]
FILE_UPLOAD_MAX_MEMORY_SIZE = USHER_IMPORT_MAX_BYTES
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * MB
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
DATA_UPLOAD_MAX_NUMBER_FILES = 2

# Words and times
USE_I18N = USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [HERE / "locale"]

# Look: hashed names once `make assets` has collected them, straight from the sources before
STATIC_URL = "/static/"
STATICFILES_DIRS = [HERE / "static"]
STATIC_ROOT = HERE / "staticfiles"
WHITENOISE_USE_FINDERS = not (STATIC_ROOT / "staticfiles.json").is_file()
if WHITENOISE_USE_FINDERS:
    warnings.filterwarnings("ignore", message="No directory at")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "usher.core.static.HashedFiles"},
}

# Mail
_smtp = urlsplit(given.smtp_url.get_secret_value())
EMAIL_BACKEND = (
    "usher.core.postman.Backend"
    if _smtp.hostname
    else "usher.core.mailbox.Backend"
    if given.embedded
    else "django.core.mail.backends.dummy.EmailBackend"  # mails wait, see core/postman.py
)
EMAIL_HOST = _smtp.hostname or ""
EMAIL_PORT = _smtp.port or {"smtps": 465, "smtp+tls": 587}.get(_smtp.scheme, 25)
EMAIL_HOST_USER = unquote(_smtp.username or "")
EMAIL_HOST_PASSWORD = unquote(_smtp.password or "")
EMAIL_USE_TLS = _smtp.scheme == "smtp+tls"
EMAIL_USE_SSL = _smtp.scheme == "smtps"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = given.mail_from or f"Usher <usher@{given.mail_host}>"

# Logs
logs.configure()
LOGGING = logs.logging_settings(given.log_level)
