"""The same system, only faster: a cheap hasher, tasks run where they are sent, plain static files."""

from retaildelivery.settings import *  # noqa: F403
from retaildelivery.settings import DATABASES, STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# Accounts refuse to be emptied, except on a connection that says its database is thrown away.
DATABASES = {"default": {**DATABASES["default"], "OPTIONS": {"options": "-c retaildelivery.throwaway=on"}}}
