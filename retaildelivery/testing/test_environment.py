import pytest
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from retaildelivery import environment, settings_test
from retaildelivery import settings as production


@pytest.fixture
def given(monkeypatch):
    def set_variables(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_variables


def test_passwords_are_kept_by_argon2_and_the_quick_hash_of_the_tests_is_theirs_alone():
    assert "MD5" in settings_test.PASSWORD_HASHERS[0]
    assert not any(
        weak in name for name in production.PASSWORD_HASHERS for weak in ("MD5", "SHA1", "Unsalted")
    )
    with override_settings(PASSWORD_HASHERS=production.PASSWORD_HASHERS):
        assert make_password("parcels").startswith("argon2$argon2id$")


def test_an_empty_value_is_an_absent_one(given):
    given(NAME="")

    assert environment.text("NAME", "otherwise") == "otherwise"
    assert environment.number("NAME", 7, least=1, most=9) == 7
    assert environment.switch("NAME", True) is True


@pytest.mark.parametrize(
    ("value", "meant"),
    [("on", True), ("YES", True), ("1", True), ("off", False), ("False", False), ("0", False)],
)
def test_a_switch_reads_as_people_write(given, value, meant):
    given(NAME=value)

    assert environment.switch("NAME", not meant) is meant


@pytest.mark.parametrize("value", ["0", "11", "-3", "3.5", "3e2", "five", "٣"])
def test_a_number_outside_its_bounds_is_refused(given, value):
    given(NAME=value)

    with pytest.raises(ImproperlyConfigured, match=r"NAME=.* whole number from 1 to 10"):
        environment.number("NAME", 1, least=1, most=10)


def test_a_choice_is_one_of_its_words_in_any_case(given):
    given(NAME="warning")
    assert environment.choice("NAME", "INFO", ("INFO", "WARNING")) == "WARNING"

    given(NAME="loud")
    with pytest.raises(ImproperlyConfigured, match="one of INFO, WARNING"):
        environment.choice("NAME", "INFO", ("INFO", "WARNING"))


def test_a_database_url_becomes_djangos_dictionary(given):
    given(NAME="postgres://ada:p%40ss@db.example.com:6543/parcels?sslmode=require")

    found = environment.database("NAME", "", password="NAME_PASSWORD")

    assert {key: found[key] for key in ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT")} == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "parcels",
        "USER": "ada",
        "PASSWORD": "p@ss",
        "HOST": "db.example.com",
        "PORT": 6543,
    }
    assert found["OPTIONS"] == {"sslmode": "require"}


def test_the_password_of_the_database_may_come_from_a_file(given, tmp_path):
    (tmp_path / "password").write_text("p@ss/word\n")
    given(NAME="postgres://ada@db:5432/parcels", NAME_PASSWORD_FILE=str(tmp_path / "password"))

    assert environment.database("NAME", "", password="NAME_PASSWORD")["PASSWORD"] == "p@ss/word"


@pytest.mark.parametrize(
    "value",
    [
        "mysql://a@b/c",
        "postgres://",
        "postgres://a:b@host:99999/x",
        "postgres://a@host:5432",
        "here",
        "postgres://a@h:x/y",
    ],
)
def test_what_is_no_database_is_refused_without_showing_its_password(given, value):
    given(NAME=value.replace("a:b", "a:hunter2"))

    with pytest.raises(ImproperlyConfigured) as refused:
        environment.database("NAME", "", password="NAME_PASSWORD")

    assert str(refused.value).startswith("NAME")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("value", ["http://redis", "redis://", "redis://host:port/0"])
def test_what_is_no_redis_is_refused(given, value):
    given(NAME=value)

    with pytest.raises(ImproperlyConfigured, match="NAME cannot be used"):
        environment.redis("NAME", "")


def test_mail_goes_out_by_the_url_or_is_stored(given):
    assert environment.mail("NAME") == {}

    given(NAME="smtp+tls://user:secret@mail.example.com:587")
    found = environment.mail("NAME")
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"], found["EMAIL_USE_TLS"]) == (
        "mail.example.com",
        587,
        True,
    )
    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == ("user", "secret")


@pytest.mark.parametrize("value", ["mail.example.com", "imap://a@b", "smtp://"])
def test_what_is_no_mail_server_is_refused(given, value):
    given(NAME=value)

    with pytest.raises(ImproperlyConfigured, match="NAME cannot be used"):
        environment.mail("NAME")


@pytest.mark.parametrize("value", ["delivery.example.com", "ftp://x", "https://"])
def test_what_is_no_web_address_is_refused(given, value):
    given(NAME=value)

    with pytest.raises(ImproperlyConfigured, match="full address"):
        environment.web_url("NAME", "")


def test_a_time_zone_is_one_of_the_database(given):
    given(NAME="America/Phoenix")
    assert environment.time_zone("NAME", "UTC") == "America/Phoenix"

    given(NAME="../etc/passwd")
    with pytest.raises(ImproperlyConfigured, match="tz database"):
        environment.time_zone("NAME", "UTC")
