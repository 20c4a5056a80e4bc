"""`seed_demo` may be run twice and says who can sign in."""

from io import StringIO

import pytest
from django.core.management import call_command

from retaildelivery.accounts.models import User
from retaildelivery.demo import cast, seeding

pytestmark = pytest.mark.django_db


def test_seed_demo_prints_password_logins_and_key_each_time():
    first, second = StringIO(), StringIO()

    call_command("seed_demo", stdout=first)
    people = User.objects.count()
    call_command("seed_demo", stdout=second)

    assert User.objects.count() == people
    assert first.getvalue() == second.getvalue()
    assert cast.PASSWORD in first.getvalue()
    assert seeding.API_KEY in first.getvalue()
    assert "ops@example.com                    operations (board and admin) at /ops/" in first.getvalue()
    assert "ada@drivers.example.com            driver, Las Vegas at /drive/" in first.getvalue()
