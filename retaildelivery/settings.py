"""Everything comes from the environment (`.env.example` explains each variable); nothing is edited here."""

from datetime import timedelta
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from redis.backoff import NoBackoff
from redis.retry import Retry

from retaildelivery import environment as env
from retaildelivery import logs
from retaildelivery.web import openapi, sources

env.read_dotenv()

BASE_DIR = env.BASE_DIR
DATA_DIR = env.data_dir()

# -- Where and for whom ------------------------------------------------------------------------------------
DEBUG = env.switch("DEBUG", False)
PORT = env.number("PORT", 8000, least=1, most=65535)
WEB_WORKERS = env.number("WEB_WORKERS", 2, least=1, most=64)
BASE_URL = env.web_url("BASE_URL", f"http://localhost:{PORT}")
_HOST = urlsplit(BASE_URL).hostname or "localhost"
_LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = [_HOST, *env.words("ALLOWED_HOSTS", _LOOPBACK if _HOST in _LOOPBACK or DEBUG else [])]
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", [BASE_URL])
DEMO = env.switch("DEMO", True)

SECRET_KEY = (
    env.secret("SECRET_KEY")
    or env.kept("secret_key")
    or ("only ever used with DEBUG=on " * 2 if DEBUG else "")
)
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is missing: set it to at least 50 random characters, or SECRET_KEY_FILE to a file that "
        "holds them. `make run` makes one for itself."
    )

# -- What it is made of ------------------------------------------------------------------------------------
INSTALLED_APPS = [
    # Before django.contrib.admin, whose templates it replaces.
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "rest_framework",
    # Before drf_spectacular, whose command it completes.
    "retaildelivery.web",
    "drf_spectacular",
    "django_filters",
    "django_htmx",
    "template_partials",
    "csp",
    "django_prometheus",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "retaildelivery.accounts",
    "retaildelivery.outbox",
    "retaildelivery.embedded",
    "stores",
    "drivers",
    "deliveries",
    "offers",
    "retaildelivery.demo",
]

MIDDLEWARE = [
    "retaildelivery.web.measured.Measured",
    "retaildelivery.web.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "retaildelivery.web.browsers.StaticFiles",
    "retaildelivery.web.browsers.Policy",
    "retaildelivery.web.browsers.Sessions",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "retaildelivery.web.browsers.Authentication",
    "retaildelivery.web.browsers.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "retaildelivery.web.middleware.NoNulInPath",
]

ROOT_URLCONF = "retaildelivery.urls"
WSGI_APPLICATION = "retaildelivery.wsgi.application"
OUTBOX_REACTIONS = "retaildelivery.reactions.REACTIONS"
OUTBOX_SANDBOX_REACTIONS = "retaildelivery.reactions.SANDBOX_REACTIONS"
# Drivers know their market by its code only; this says by which clock it lives.
MARKET_ZONES = "offers.paydays.zone_of"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# -- Truth, and what may be lost ---------------------------------------------------------------------------
DATABASES = {
    "default": {
        **env.database(
            "DATABASE_URL",
            "postgres://postgres@127.0.0.1:5432/retaildelivery",
            password="DATABASE_PASSWORD",  # noqa: S106 -- the name of a variable
        ),
        "ENGINE": "retaildelivery.postgres",
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.redis("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "retaildelivery.rediscache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "retaildelivery",
        # A cache that is down must cost a moment, not a page.
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2, "retry": Retry(NoBackoff(), 1)},
    }
}
# Read from the cache, kept in the database: emptying Redis signs nobody out.
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Longer than any task may run, so that nothing is handed out again while it is still at work.
# A broker that is away costs a request one try (kombu's default is six seconds of them); a sweep comes after.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 900, "socket_connect_timeout": 2, "max_retries": 0}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "run" / "beat-schedule")

# -- People ------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
_HURDLES = "UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{hurdle}Validator"} for hurdle in _HURDLES
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "offers:landing"
ACCOUNT_ADAPTER = "retaildelivery.outbox.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(BASE_URL).scheme
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Retail Delivery"
# Browsers refuse passkeys over plain http except on localhost; the library wants to be told.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = _HOST in _LOOPBACK

# -- Words and times ---------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "retaildelivery" / "locale"]
FORMAT_MODULE_PATH = ["retaildelivery.formats"]
TIME_ZONE = env.time_zone("TIME_ZONE", "UTC")

# -- Files -------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = env.path("STATIC_ROOT", DATA_DIR / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
# Photos, signatures and documents of people: never under a public URL, always through a view that asks who.
MEDIA_ROOT = env.path("PROOFS_DIR", DATA_DIR / "proofs")
_PLAIN = "django.contrib.staticfiles.storage.StaticFilesStorage"
_PACKED = "whitenoise.storage.CompressedManifestStaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _PLAIN if DEBUG else _PACKED},
}
DATA_UPLOAD_MAX_MEMORY_SIZE, DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_500_000, 2_000

# -- Messages ----------------------------------------------------------------------------------------------
_MAIL = env.mail("EMAIL_URL")
EMAIL_BACKEND = _MAIL.get("EMAIL_BACKEND", "retaildelivery.outbox.mail.StoredBackend")
EMAIL_HOST, EMAIL_PORT = _MAIL.get("EMAIL_HOST") or "localhost", _MAIL.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _MAIL.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _MAIL.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.get("EMAIL_USE_TLS", False), _MAIL.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"Retail Delivery <delivery@{_HOST}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# Notices to drivers' phones, signed so that push services know who sends; without a key there are none.
VAPID_PRIVATE_KEY = env.push_key("VAPID_PRIVATE_KEY")
VAPID_SUBJECT = env.text("VAPID_SUBJECT", f"mailto:{parseaddr(DEFAULT_FROM_EMAIL)[1]}")
PUSH_ALLOW_PRIVATE = env.switch("PUSH_ALLOW_PRIVATE", False)

# -- Safety ------------------------------------------------------------------------------------------------
SECURE = env.switch("SECURE", BASE_URL.startswith("https://"))
SECURE_SSL_REDIRECT = SECURE
# The container's own probes speak plain http to the process.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.switch("BEHIND_PROXY", False) else None
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Browsers share cookies between ports: copies side by side on one machine would sign each other out.
_BESIDE = f"_{PORT}" if _HOST in _LOOPBACK and PORT != 8000 else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"sessionid{_BESIDE}", f"csrftoken{_BESIDE}"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
METRICS_TOKEN = env.secret("METRICS_TOKEN")

# The heading of the admin.
UNFOLD = {"SITE_TITLE": "Retail Delivery", "SITE_HEADER": "Retail Delivery"}

GEOCODER = env.text("GEOCODER")
GEOCODER_KEY = env.secret("GEOCODER_KEY")
GEOCODER_DOMAIN = env.text("GEOCODER_DOMAIN")
# How long the way takes: an estimate of our own, or a road server of the operator's.
TRAVEL_PROVIDER = env.choice("TRAVEL_PROVIDER", "estimate", ("estimate", "osrm", "valhalla"))
TRAVEL_URL = "" if TRAVEL_PROVIDER == "estimate" else env.web_url("TRAVEL_URL", "")
TRAVEL_PROFILE = env.text("TRAVEL_PROFILE")
TRAVEL_ALLOW_PRIVATE = env.switch("TRAVEL_ALLOW_PRIVATE", False)
MAP_TILE_URL = env.web_url("MAP_TILE_URL", "https://tile.openstreetmap.org/{z}/{x}/{y}.png")
CONTENT_SECURITY_POLICY = sources.policy(tiles=MAP_TILE_URL)

# -- Payouts -----------------------------------------------------------------------------------------------
# Bank details are sealed with the first key and opened with any: a new key goes in front of the old one.
PAYOUT_KEYS = (env.secret("PAYOUT_KEYS") or SECRET_KEY).split(",")
PAYOUT_ORIGINATOR = {
    "bank_routing": env.text("PAYOUT_BANK_ROUTING", "021000021"),
    "bank_name": env.text("PAYOUT_BANK_NAME", "Bank"),
    "company_name": env.text("PAYOUT_COMPANY", "Retail Delivery"),
    "company_id": env.text("PAYOUT_COMPANY_ID", "1000000000"),
}

# How pay leaves: a file for the bank, or transfers by Stripe Connect.
PAYOUT_PROVIDER = env.choice("PAYOUT_PROVIDER", "bank", ("bank", "stripe"))
STRIPE_SECRET_KEY = env.secret("STRIPE_SECRET_KEY")
STRIPE_URL = env.web_url("STRIPE_URL", "https://api.stripe.com")
STRIPE_VERSION = env.text("STRIPE_VERSION", "2025-04-30.basil")
# Who charges and who pays, as it stands on invoices, statements and forms for the tax office.
COMPANY = {
    "name": env.text("COMPANY_NAME", "Retail Delivery"),
    "street": env.text("COMPANY_STREET"),
    "city": env.text("COMPANY_CITY"),
    "region": env.text("COMPANY_REGION"),
    "postal_code": env.text("COMPANY_POSTAL_CODE"),
    "phone": env.text("COMPANY_PHONE"),
    "email": env.text("COMPANY_EMAIL"),
    "tax_id": env.text("COMPANY_TAX_ID"),
}

# -- The API -----------------------------------------------------------------------------------------------
API_REQUESTS_PER_MINUTE = env.number("API_REQUESTS_PER_MINUTE", 1_200, least=1, most=10_000_000)
# On only where every receiver is one's own: a seller could otherwise reach what is behind the firewall.
WEBHOOKS_ALLOW_PRIVATE = env.switch("WEBHOOKS_ALLOW_PRIVATE", False)
# Other services' shapes, for clients that move here by changing a host: docs/doors.md
DOOR_DRIVE, DOOR_DIRECT = env.switch("DOOR_DRIVE", False), env.switch("DOOR_DIRECT", False)
DOOR_SHOPIFY, SHOPIFY_SECRET = env.switch("DOOR_SHOPIFY", False), env.secret("SHOPIFY_SECRET")
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["retaildelivery.web.renderers.CompactJSON"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "retaildelivery.web.errors.handle",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = openapi.SETTINGS

# -- Logs --------------------------------------------------------------------------------------------------
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOGGING = logs.configuration(
    level=LOG_LEVEL, json=env.choice("LOG_FORMAT", "text" if DEBUG else "json", ("json", "text")) == "json"
)
