"""Drivers are told on their phones; by e-mail when they have none, or none can be reached."""

import datetime as dt
from urllib.parse import quote

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import transaction

from drivers import limits, notifying, pushing, subscribing, tokens
from drivers.models import Driver, Notice, Push, PushSubscription
from drivers.tests import phone as phones
from retaildelivery.lib import vapid
from retaildelivery.outbox.models import Message

pytestmark = pytest.mark.django_db

AT = dt.datetime(2026, 11, 23, 18, 0, tzinfo=dt.UTC)
SECOND, MINUTE, HOUR = dt.timedelta(seconds=1), dt.timedelta(minutes=1), dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def _keys(settings, time_machine):
    time_machine.move_to(AT, tick=False)
    settings.VAPID_PRIVATE_KEY = vapid.new_key()
    settings.VAPID_SUBJECT = "mailto:ops@example.com"
    settings.PUSH_ALLOW_PRIVATE = True


@pytest.fixture
def service():
    with phones.running() as started:
        yield started


def driver(name="ada"):
    user = get_user_model().objects.create_user(f"{name}@example.com", name=name.title())
    return Driver.objects.create(
        user=user, market_code="las-vegas", status="approved", applied_at=AT, approved_at=AT
    )


@pytest.fixture
def ada():
    return driver()


def tell(to, key="award:1", **more):
    given = {
        "name": "award_made", "subject": "La rifa te pregunta 🎉", "brief": "Until 2:15 PM.", "text": "All of it.\n",
        "path": "/drive/offers/FX/", "about": "block:BX", "until": AT + 15 * MINUTE, "at": AT,
    }  # fmt: skip
    with transaction.atomic():
        return notifying.notify(driver=to, key=key, **given | more)


def send(*, at=AT):
    """Every push that is due, as the sweep hands them out."""
    return [pushing.send(push_id=pk, at=at) for pk in pushing.overdue(at=at)]


def mails():
    return list(Message.objects.values_list("to", "subject"))


def test_a_notice_reaches_the_phone_sealed_and_signed(service, ada, settings):
    phone = service.phone()
    phone.of(ada)

    tell(ada)

    assert send() == [True]
    assert phone.shown == [
        {
            "title": "La rifa te pregunta 🎉", "body": "Until 2:15 PM.", "url": "/drive/offers/FX/", "tag": "block:BX",
            "lang": "en", "at": AT.isoformat(),
        }
    ]  # fmt: skip
    headers, body = phone.requests[0]
    assert (headers["TTL"], headers["Content-Encoding"], headers["Urgency"]) == ("900", "aes128gcm", "high")
    assert len(headers["Topic"]) == 32
    assert b"rifa" not in body
    signed, key = headers["Authorization"].removeprefix("vapid ").split(",")
    assert key.strip() == f"k={vapid.public_key(settings.VAPID_PRIVATE_KEY)}"
    raw = phones.base64.urlsafe_b64decode(key.strip()[2:] + "=")
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    claims = jwt.decode(
        signed.strip().removeprefix("t="), public, algorithms=["ES256"], audience=service.url,
    )  # fmt: skip
    assert claims["sub"] == "mailto:ops@example.com"
    assert PushSubscription.objects.get().last_used_at == AT
    assert mails() == []


def test_who_has_no_phone_gets_the_mail_and_where_there_is_no_key_everybody(service, ada, settings):
    tell(ada)
    ben = driver("ben")
    service.phone().of(ben)
    settings.VAPID_PRIVATE_KEY = ""
    tell(ben, "award:2")

    assert [to for to, _subject in mails()] == ["ada@example.com", "ben@example.com"]
    assert not Push.objects.exists()


def test_the_same_thing_is_told_once_also_when_a_phone_came_in_between(service, ada):
    tell(ada)
    service.phone().of(ada)

    assert tell(ada) is None
    assert len(mails()) == 1
    assert send() == []


@pytest.mark.parametrize("status", [404, 410])
def test_a_subscription_that_is_gone_is_deleted_and_the_mail_goes(service, ada, status):
    phone = service.phone()
    phone.of(ada)
    phone.status = status
    tell(ada)

    send()

    assert not PushSubscription.objects.exists()
    assert mails() == [("ada@example.com", "La rifa te pregunta 🎉")]
    assert Push.objects.get().last_error == f"status_{status}"


def test_a_push_service_in_trouble_is_tried_by_the_table_and_then_the_mail_goes(service, ada):
    phone = service.phone()
    phone.of(ada)
    phone.status = 503
    tell(ada)

    at, tries = AT, []
    for wait in (dt.timedelta(0), *limits.PUSH_RETRIES):
        assert send(at=at + wait - SECOND) == []
        at += wait
        send(at=at)
        tries.append(len(phone.requests))

    assert tries == [1, 2, 3, 4]
    assert len(mails()) == 1
    assert send(at=at + HOUR) == []
    assert PushSubscription.objects.count() == 1


def test_a_phone_that_answers_again_gets_it_and_no_mail_goes(service, ada):
    phone = service.phone()
    phone.of(ada)
    phone.status = 500
    tell(ada)
    send()
    phone.status = 201

    assert send(at=AT + 5 * SECOND) == [True]
    assert mails() == []


def test_with_two_phones_the_mail_goes_only_when_neither_was_reached(service, ada):
    one, other = service.phone(), service.phone()
    one.of(ada)
    other.of(ada)
    one.status = 410
    tell(ada)
    send()
    before = mails()
    other.status = 410
    tell(ada, "award:2")
    send()

    assert before == []
    assert len(other.shown) == 2
    assert len(mails()) == 1


def test_a_push_service_that_hangs_costs_a_time_out(service, ada, monkeypatch):
    monkeypatch.setattr(limits, "PUSH_TIMEOUT", dt.timedelta(seconds=0.2))
    phone = service.phone()
    phone.of(ada)
    phone.status = 0
    tell(ada)

    assert send() == [False]
    assert Push.objects.get().last_error == "timeout"


def test_what_is_no_news_any_more_is_neither_pushed_nor_mailed(service, ada):
    phone = service.phone()
    phone.of(ada)
    tell(ada)

    assert send(at=AT + 15 * MINUTE) == [False]
    assert phone.requests == []
    assert mails() == []
    assert Push.objects.get().last_error == "expired"


def test_a_sender_that_died_is_followed_by_another_after_its_lease(service, ada):
    phone = service.phone()
    phone.of(ada)
    tell(ada)
    push = Push.objects.get()

    assert pushing._take(push_id=push.pk, at=AT) is not None
    assert send(at=AT + SECOND) == []
    assert send(at=AT + limits.PUSH_LEASE) == [True]
    assert pushing.send(push_id=push.pk, at=AT + HOUR) is False
    assert len(phone.requests) == 1


def test_a_private_address_is_refused_at_the_subscription_and_again_at_the_send(service, ada, settings):
    phone = service.phone()
    phone.of(ada)
    settings.PUSH_ALLOW_PRIVATE = False
    tell(ada)

    with pytest.raises(subscribing.EndpointRefused):
        service.phone().of(ada)
    send()

    assert PushSubscription.objects.count() == 1
    assert phone.requests == []
    assert Push.objects.get().last_error == "https_needed"


def test_of_too_many_phones_the_one_reached_longest_ago_ends(service, ada, monkeypatch, time_machine):
    monkeypatch.setattr(limits, "PHONES", 2)
    made = []
    for number in range(3):
        time_machine.move_to(AT + number * MINUTE, tick=False)
        made.append(service.phone().of(ada))
        PushSubscription.objects.filter(pk=made[0].pk).update(last_used_at=AT)

    assert set(ada.push_subscriptions.values_list("pk", flat=True)) == {made[0].pk, made[2].pk}


def test_a_long_text_is_cut_at_a_word(service, ada):
    service.phone().of(ada)

    tell(ada, brief="word " * 100)

    brief = Notice.objects.get().brief
    assert len(brief) <= limits.BRIEF_LENGTH
    assert brief.endswith("word…")


# -- The API -----------------------------------------------------------------------------------------------

ADDRESS = "/api/v1/driver/push-subscriptions"


@pytest.fixture
def api(client, ada):
    _token, secret = tokens.issue(driver=ada, name="app", at=AT)
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    client.defaults["HTTP_USER_AGENT"] = "Chrome on Android"
    return client


def put(client, **body):
    return client.put(ADDRESS, body, content_type="application/json")


def test_an_app_subscribes_and_unsubscribes_any_number_of_times(api, service, ada, settings):
    phone = service.phone()
    for _again in range(2):
        answer = put(api, endpoint=phone.endpoint, keys=phone.keys)
        assert answer.status_code == 200, answer.json()
    listed = api.get(ADDRESS).json()
    gone = [api.delete(f"{ADDRESS}?endpoint={quote(phone.endpoint)}").status_code for _again in range(2)]

    assert listed["public_key"] == vapid.public_key(settings.VAPID_PRIVATE_KEY)
    assert [(row["endpoint"], row["user_agent"]) for row in listed["results"]] == [
        (phone.endpoint, "Chrome on Android")
    ]
    assert gone == [204, 204]
    assert not PushSubscription.objects.exists()


def test_a_phone_belongs_to_who_used_it_last_and_nobody_elses_can_be_ended(api, service, ada):
    ben = driver("ben")
    phone, other = service.phone(), service.phone()
    phone.of(ben)
    other.of(ben)
    put(api, endpoint=phone.endpoint, keys=phone.keys)
    api.delete(f"{ADDRESS}?endpoint={quote(other.endpoint)}")

    assert list(ada.push_subscriptions.values_list("endpoint", flat=True)) == [phone.endpoint]
    assert list(ben.push_subscriptions.values_list("endpoint", flat=True)) == [other.endpoint]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"endpoint": "https://127.0.0.1/x"}, 422, "push_endpoint_refused"),
        ({"endpoint": "javascript:alert(1)"}, 422, "push_endpoint_refused"),
        ({"keys": {"p256dh": "AAAA", "auth": "AAAA"}}, 422, "push_keys_refused"),
        ({"keys": {"p256dh": "AAAA"}}, 400, "validation_error"),
        ({"surprise": 1}, 400, "validation_error"),
    ],
)
def test_what_no_browser_says_is_refused(api, service, settings, changes, status, code):
    settings.PUSH_ALLOW_PRIVATE = False
    phone = service.phone()

    answer = put(api, **{"endpoint": "https://push.example.com/1", "keys": phone.keys} | changes)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not PushSubscription.objects.exists()


def test_without_a_key_the_feature_says_so(api, service, settings):
    settings.VAPID_PRIVATE_KEY = ""
    phone = service.phone()

    assert api.get(ADDRESS).json() == {"public_key": "", "results": []}
    assert put(api, endpoint=phone.endpoint, keys=phone.keys).json()["code"] == "push_unavailable"


# -- Pages and commands ------------------------------------------------------------------------------------


def test_the_page_names_the_phones_and_removes_one(
    client, service, ada, settings, django_assert_max_num_queries
):
    made = service.phone().of(
        ada, user_agent="Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36"
    )
    client.force_login(ada.user)
    with django_assert_max_num_queries(12):
        page = client.get("/drive/me/wishes/").content.decode()
    client.post(f"/drive/me/phones/{made.code}/removal/")

    assert "Notify me on this phone" in page
    assert "Chrome · Android" in page
    assert not PushSubscription.objects.exists()
    settings.VAPID_PRIVATE_KEY = ""
    assert "Notify me on this phone" not in client.get("/drive/me/wishes/").content.decode()


def test_nobody_removes_another_drivers_phone(client, service, ada):
    made = service.phone().of(driver("ben"))
    client.force_login(ada.user)

    client.post(f"/drive/me/phones/{made.code}/removal/")

    assert PushSubscription.objects.count() == 1


def test_the_command_prints_a_pair_that_belongs_together(capsys):
    call_command("vapid_keys")

    private, public = capsys.readouterr().out.split("\n")[:2]
    assert public == f"# Public key: {vapid.public_key(private.removeprefix('VAPID_PRIVATE_KEY='))}"


@pytest.mark.parametrize("nonsense", ["", "AAAA", "not base64 at all", "A" * 43])
def test_a_key_that_is_none_is_refused(nonsense):
    with pytest.raises(ValueError):  # noqa: PT011 -- any sentence
        vapid.public_key(nonsense)
