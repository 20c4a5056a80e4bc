"""A driver on the way asks that another takes stops over: what operations see, how they answer, what the driver
reads."""

import pytest
from django.urls import reverse

from deliveries import loading, relief
from deliveries.models import Parcel
from drivers import badge
from offers import aborting, asking_relief, attendance, claiming, relieving
from offers.models import Block, Claim, ReliefRequest
from offers.tests import making
from offers.tests.making import HOUR, MINUTE, START
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Fact, Message
from retaildelivery.outbox.recording import SYSTEM
from retaildelivery.web.templatetags import ui

pytestmark = pytest.mark.django_db
BUDGET = 12
NOW = START + HOUR


@pytest.fixture(autouse=True)
def _now(time_machine, db):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def block(ada):
    return making.on_the_way(ada, at=START + 10 * MINUTE)


@pytest.fixture
def boss():
    return User.objects.create(email="ops@example.com", name="Ops", is_staff=True, is_superuser=True)


def url(name, thing):
    return reverse(f"offers:{name}", args=[thing.code])


def asked(block, driver, *stops, at=NOW):
    return asking_relief.ask(
        block_code=block.code,
        driver_id=driver.pk,
        stop_codes=[stop.code for stop in stops],
        note="a flood on Sahara",
        at=at,
    )


def promised_by(stop, moment):
    order = stop.dropoffs.get().order
    order.window = type(order.window)(START, moment, "[)")
    order.save(update_fields=["window"])


# -- Asking --------------------------------------------------------------------------------------------------


def test_stops_whose_promise_would_break_are_proposed_and_the_driver_may_ask_for_others(client, block, ada):
    first, second, third = making.doors_of(block)
    promised_by(third, NOW + 5 * MINUTE)
    client.force_login(ada.user)
    assert url("driver_relief", block) in client.get("/drive/block/").content.decode()

    page = client.get(url("driver_relief", block)).content.decode()
    answer = client.post(url("driver_relief", block), {"stops": [second.code, third.code], "note": "flood"})

    assert f'value="{third.code}" checked' in page
    assert f'value="{first.code}">' in page
    assert (answer.status_code, answer["Location"]) == (302, url("driver_block_detail", block))
    made = ReliefRequest.objects.get()
    assert (set(made.stops.all()), made.note) == ({second, third}, "flood")
    page = client.get("/drive/block/").content.decode()
    assert "Operations decide about 2 stops" in page
    assert Block.objects.count() == 1
    assert Parcel.objects.filter(driver=ada).count() == 3


def test_none_chosen_is_said_and_nothing_is_asked(client, block, ada):
    client.force_login(ada.user)

    answer = client.post(url("driver_relief", block), {"note": "flood"})

    assert answer.status_code == 422
    assert "Choose at least one stop" in answer.content.decode()
    assert not ReliefRequest.objects.exists()


def test_by_the_api_it_is_asked_shown_changed_and_taken_back(client, block, ada):
    promised_by(making.doors_of(block)[2], NOW + 5 * MINUTE)
    client.force_login(ada.user)
    path = f"/api/v1/driver/blocks/{block.code}/relief"
    codes = [door.code for door in making.doors_of(block)]

    before = client.get(path).json()
    first = client.put(path, {}, content_type="application/json").json()
    again = client.put(path, {"note": "again"}, content_type="application/json").json()
    other = client.put(path, {"stops": codes[:1]}, content_type="application/json").json()
    unknown = client.put(path, {"stops": ["ZZZ"]}, content_type="application/json")
    strange = client.put(path, {"reason": "x"}, content_type="application/json")
    back = client.delete(path).json()
    once_more = client.delete(path)

    assert (before["request"], [each["proposed"] for each in before["stops"]]) == (None, [False, False, True])
    assert (first["request"]["stops"], first["request"]["code"]) == (sorted(codes), again["request"]["code"])
    assert (other["request"]["stops"], other["request"]["ending"]) == (codes[:1], "")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "stops_not_left")
    assert strange.status_code == 400
    assert (back["request"]["ending"], once_more.status_code) == ("taken_back", 200)
    assert len(making.facts_named("block.relief_asked")) == 2
    assert len(making.facts_named("block.relief_taken_back")) == 2


def test_nobody_asks_for_the_block_of_another_or_for_one_that_is_not_on_the_road(client, block, ada):
    ben, cat = making.driver("Ben"), making.driver("Cat")
    waiting = making.claimed(making.block([making.order(making.store(block.mall, "Loom"))]), cat)
    before = Fact.objects.count()

    client.force_login(ben.user)
    answers = [
        client.get(url("driver_relief", block)).status_code,
        client.post(url("driver_relief", block), {"stops": ["x"]}).status_code,
        client.post(url("driver_relief_back", block)).status_code,
        *(
            getattr(client, way)(
                f"/api/v1/driver/blocks/{block.code}/relief", {}, content_type="application/json"
            ).status_code
            for way in ("put", "delete")
        ),
        client.post(reverse("offers:ops_relief_answer", args=["R1"])).status_code,
    ]
    with pytest.raises(relieving.NotOnTheRoad):
        asked(waiting, cat)

    assert answers == [404, 404, 404, 404, 404, 403]
    assert (Fact.objects.count(), ReliefRequest.objects.count()) == (before, 0)


def test_what_another_takes_over_already_is_not_asked_for_twice(block, ada):
    _first, second, third = making.doors_of(block)
    relieving.hand_over_rest(block_code=block.code, stop_codes=[third.code], actor=SYSTEM, at=NOW)

    with pytest.raises(relieving.ReliefUnderway):
        asked(block, ada, second, third)
    made = asked(block, ada)

    assert third not in made.stops.all()
    assert made.stops.count() == 2


# -- Answering -----------------------------------------------------------------------------------------------


def test_operations_see_it_on_the_board_and_grant_it_with_one_press(client, block, ada, boss):
    third = making.doors_of(block)[2]
    made = asked(block, ada, third)
    client.force_login(boss)
    board = client.get("/ops/?market=las-vegas").content.decode()
    assert "Ada asks for relief from one stop" in board
    assert "a flood on Sahara" in board
    assert "The driver asks for relief" in client.get(url("ops_block", block)).content.decode()

    first = client.post(url("ops_relief_answer", made), {"board": "1"})
    second = client.post(url("ops_relief_answer", made))

    assert (first["Location"], second["Location"]) == ("/ops/", url("ops_block", block))
    [relief_block] = relieving.reliefs_of(block)
    made.refresh_from_db()
    assert (made.ending, made.relief, made.ended_at) == ("granted", relief_block, NOW)
    assert relief_block.orders_count == 1
    assert "asks for relief" not in client.get("/ops/").content.decode()
    making.relay_all(at=NOW)
    [mail] = Message.objects.filter(name="block_relief_granted")
    assert (mail.to, "one stop is on offer" in mail.text) == (ada.user.email, True)
    client.force_login(ada.user)
    page = client.get("/drive/block/").content.decode()
    assert "Another driver is being found" in page
    making.claimed(relief_block, making.driver("Ben"), at=NOW)
    assert "Ben comes to meet you" in client.get("/drive/block/").content.decode()


def test_a_board_that_has_not_changed_costs_nothing_though_it_holds_forms(client, block, ada, boss):
    asked(block, ada)
    client.force_login(boss)
    path = "/ops/?market=las-vegas"

    first = client.get(path, headers={"HX-Request": "true"})
    same = client.get(path, headers={"HX-Request": "true", "If-None-Match": first["ETag"]})

    assert b"csrfmiddlewaretoken" in first.content
    assert (same.status_code, same.content) == (304, b"")


def test_declined_with_a_word_the_driver_reads_it_and_keeps_the_stops(client, block, ada, boss):
    made = asked(block, ada)
    client.force_login(boss)

    for _press in range(2):
        client.post(url("ops_relief_answer", made), {"decline": "1", "answer": "Nobody is near."})

    making.relay_all(at=NOW)
    made.refresh_from_db()
    assert (made.ending, made.relief, made.answer) == ("declined", None, "Nobody is near.")
    [mail] = Message.objects.filter(name="block_relief_declined")
    assert "Nobody is near." in mail.text
    assert Block.objects.count() == 1
    client.force_login(ada.user)
    assert "Nobody is near." in client.get("/drive/block/").content.decode()


def test_an_answer_to_what_is_over_changes_nothing_and_says_so(client, block, ada, boss):
    made = asked(block, ada)
    asking_relief.take_back(block_code=block.code, driver_id=ada.pk, at=NOW)
    client.force_login(boss)

    page = client.post(url("ops_relief_answer", made), follow=True).content.decode()
    with pytest.raises(asking_relief.ReliefRequestOver):
        asking_relief.decline(code=made.code, answer="", actor=SYSTEM, at=NOW)

    assert "This request is over: taken back." in page
    assert Block.objects.count() == 1


def test_what_was_delivered_meanwhile_falls_out_and_with_the_last_the_request_is_gone(block, ada):
    first, second, third = making.doors_of(block)
    made = asked(block, ada, first, second)
    making.deliver(first, ada, at=NOW)

    relief_block = asking_relief.grant(code=made.code, actor=SYSTEM, at=NOW)

    assert [door.relieves for door in making.doors_of(relief_block)] == [second]
    last = asked(block, ada, third)
    assert ReliefRequest.objects.open().get() == last
    making.deliver(third, ada, at=NOW)
    assert not ReliefRequest.objects.open().exists()
    with pytest.raises(relief.NothingToTakeOver):
        asking_relief.grant(code=last.code, actor=SYSTEM, at=NOW)


def test_operations_who_hand_the_stops_over_on_the_blocks_page_have_granted_it(block, ada):
    made = asked(block, ada, making.doors_of(block)[2])

    relief_block = relieving.hand_over_rest(block_code=block.code, stop_codes=[], actor=SYSTEM, at=NOW)

    made.refresh_from_db()
    assert (made.ending, made.relief) == ("granted", relief_block)


def test_who_cannot_go_on_at_all_has_nothing_left_to_ask(block, ada):
    made = asked(block, ada)

    aborting.abort(block_code=block.code, driver_id=ada.pk, reason="crash", note="", point=None, at=NOW)

    made.refresh_from_db()
    assert (made.ending, ReliefRequest.objects.open().count()) == ("overtaken", 0)


def test_the_pages_of_a_request_keep_to_their_queries(
    client, block, ada, boss, django_assert_max_num_queries
):
    made = asked(block, ada)
    keeps_to_its_queries(client, ada.user, url("driver_relief", block), django_assert_max_num_queries)
    keeps_to_its_queries(client, ada.user, "/drive/block/", django_assert_max_num_queries)
    keeps_to_its_queries(client, boss, url("ops_block", block), django_assert_max_num_queries)
    relief_block = asking_relief.grant(code=made.code, actor=SYSTEM, at=NOW)
    making.claimed(relief_block, making.driver("Ben"), at=NOW)

    keeps_to_its_queries(client, ada.user, "/drive/block/", django_assert_max_num_queries)
    keeps_to_its_queries(client, boss, url("ops_block", block), django_assert_max_num_queries)


def keeps_to_its_queries(client, user, path, at_most):
    client.force_login(user)
    client.get(path)
    with at_most(BUDGET):
        assert client.get(path).status_code == 200


# -- Where they meet -----------------------------------------------------------------------------------------


def granted(block, ada, *stops):
    made = asked(block, ada, *stops)
    return asking_relief.grant(code=made.code, actor=SYSTEM, at=NOW)


def test_an_offer_to_take_over_says_that_it_starts_on_the_way_and_in_which_town(client, block, ada):
    relief_block = granted(block, ada, making.doors_of(block)[2])
    client.force_login(making.driver("Ben").user)

    feed = client.get("/drive/offers/").content.decode()
    offer = making.offer_of(relief_block)
    page = client.get(reverse("offers:driver_offer", args=[offer.code])).content.decode()

    told = client.get(f"/api/v1/driver/offers/{offer.code}").json()
    assert (told["load"]["is_relief"], told["load"]["stores"]) == (True, 0)
    assert not block.is_relief
    assert "you start where they are, not at the mall" in feed
    assert "You meet the other driver" in page
    assert "Las Vegas 89" in page
    assert "None" not in page


def test_who_takes_over_is_sent_to_the_driver_and_not_to_the_mall(
    client, block, ada, django_assert_max_num_queries
):
    relief_block = granted(block, ada, making.doors_of(block)[2])
    ben = making.driver("Ben")
    making.claimed(relief_block, ben, at=NOW)
    meet = relieving.meeting_of(relief_block)
    client.force_login(ben.user)

    with django_assert_max_num_queries(BUDGET + 2):
        page = client.get(url("driver_block_detail", relief_block)).content.decode()

    assert f"{meet.latitude}%2C{meet.longitude}" in page
    assert "Navigate to the mall" not in page
    assert "<b>Ada</b>" in page
    assert "Door · 1 parcel" in page


def test_who_is_far_from_the_meeting_is_told_so_and_not_of_the_mall(client, block, ada):
    relief_block = granted(block, ada, making.doors_of(block)[2])
    ben = making.driver("Ben")
    making.claimed(relief_block, ben, at=NOW)
    client.force_login(ben.user)

    answer = client.post(
        url("driver_check_in", relief_block), {"lat": "36.9", "lng": "-115.9", "accuracy_m": "5"}
    )

    relief_block.refresh_from_db()
    assert (answer.status_code, relief_block.status) == (422, "claimed")
    assert "mi from the meeting place; check in within 1,310 ft of it" in answer.content.decode()


def test_who_hands_over_reads_when_where_and_what_and_goes_on_with_the_rest(client, block, ada):
    second, third = making.doors_of(block)[1:3]
    making.deliver(making.doors_of(block)[0], ada, at=NOW)
    relief_block = granted(block, ada, second)
    ben = making.driver("Ben")
    making.claimed(relief_block, ben, at=NOW)
    meet = relieving.meeting_of(relief_block)
    client.force_login(ada.user)

    page = client.get("/drive/block/")
    text = page.content.decode()
    Claim.objects.filter(block=relief_block).update(late_eta_at=relief_block.starts_at + 10 * MINUTE)
    later = client.get("/drive/block/").content.decode()

    assert f"Be at the meeting place at {ui.clock(relief_block.starts_at, block.mall.zone)}" in text
    assert f"{meet.latitude}%2C{meet.longitude}" in text
    assert f"<li>{second.address}</li>" in text
    assert text.count("another driver takes it over") == 1
    assert page.context["next_call"].stop == third
    assert ui.clock(relief_block.starts_at + 10 * MINUTE, block.mall.zone) in later


def test_operations_see_who_takes_which_stop_and_can_hand_over_only_the_others(client, block, ada, boss):
    doors = making.doors_of(block)
    relief_block = granted(block, ada, doors[2])
    client.force_login(boss)

    page = client.get(url("ops_block", block))
    rest = relieving.hand_over_rest(block_code=block.code, stop_codes=[], actor=SYSTEM, at=NOW)
    with pytest.raises(relieving.ReliefUnderway):
        relieving.hand_over_rest(block_code=block.code, stop_codes=[], actor=SYSTEM, at=NOW)

    assert [stop.taken_by for stop in page.context["stops"]][-1] == relief_block.code
    assert doors[2] not in page.context["change_stops"]
    assert doors[1] in page.context["change_stops"]
    assert doors[2] not in [door.relieves for door in making.doors_of(rest)]
    assert relieving.reliefs_of(block).count() == 2


def test_of_two_who_come_the_one_who_is_there_is_shown(client, block, ada):
    first = granted(block, ada, making.doors_of(block)[1])
    granted(block, ada, making.doors_of(block)[2])
    ben = making.driver("Ben")
    making.claimed(first, ben, at=NOW)
    meet = relieving.meeting_of(first)
    attendance.check_in(
        block_code=first.code, driver_id=ben.pk, point=meet.point, accuracy_m=5, desk_code="",
        at=first.starts_at,
    )  # fmt: skip
    client.force_login(ada.user)

    page = client.get("/drive/block/").content.decode()

    assert "Hand over your parcels" in page
    assert page.count("another driver takes it over") == 2


def test_after_the_meeting_nothing_is_asked_of_who_handed_over_and_the_stop_says_where_it_went(
    client, block, ada
):
    third = making.doors_of(block)[2]
    relief_block = granted(block, ada, third)
    ben = making.driver("Ben")
    making.claimed(relief_block, ben, at=NOW)
    meet = relieving.meeting_of(relief_block)
    start = relief_block.starts_at
    attendance.check_in(
        block_code=relief_block.code, driver_id=ben.pk, point=meet.point, accuracy_m=5, desk_code="", at=start
    )
    relieving.confirm(
        block_code=block.code, driver_id=ada.pk, driver_code=badge.code(ben.badge_secret, start), at=start
    )
    client.force_login(ada.user)

    between = client.get("/drive/block/").content.decode()
    [parcel] = relief.held_at([third])
    loading.scan(
        driver=ben, stop_code=meet.code, entered=parcel.code, method="typed",
        evidence=making.evidence(start), at=start,
    )  # fmt: skip
    after = client.get("/drive/block/").content.decode()

    assert "You have confirmed them" in between
    assert 'name="driver_code"' not in between
    assert "Hand over your parcels" not in after
    assert "another driver has taken it over" in after


def test_a_meeting_is_named_in_the_readers_language(client, block, ada):
    relief_block = granted(block, ada, making.doors_of(block)[2])
    ben = making.driver("Ben")
    making.claimed(relief_block, ben, at=NOW)
    client.force_login(ben.user)

    page = client.get("/drive/block/", headers={"accept-language": "es"}).content.decode()

    assert "Encuentro con el otro repartidor" in page
    assert "Meeting with" not in page


def test_who_hands_over_is_told_who_has_come_and_their_page_shows_it_by_itself(client, block, ada):
    relief_block = granted(block, ada, making.doors_of(block)[2])
    ben = making.driver("Ben")
    making.claimed(relief_block, ben, at=NOW)
    meet = relieving.meeting_of(relief_block)
    client.force_login(ada.user)
    page = client.get("/drive/block/").content.decode()
    poll = {"HX-Request": "true", "HX-Target": "relief"}
    waiting = client.get(url("driver_block_detail", block), headers=poll)

    attendance.check_in(
        block_code=relief_block.code, driver_id=ben.pk, point=meet.point, accuracy_m=5, desk_code="",
        at=relief_block.starts_at,
    )  # fmt: skip
    making.relay_all(at=relief_block.starts_at)
    making.relay_all(at=relief_block.starts_at)

    mail = Message.objects.get(name="block_relief_here")
    assert mail.to == ada.user.email
    assert "Ben is at the meeting place" in mail.subject
    assert url("driver_block_detail", block) in page
    assert 'hx-trigger="every 15s' in waiting.content.decode()
    assert "<html" not in waiting.content.decode()
    again = client.get(url("driver_block_detail", block), headers=poll | {"If-None-Match": waiting["ETag"]})
    assert again.status_code == 200
    assert "Hand over your parcels" in again.content.decode()
    assert 'name="driver_code"' in again.content.decode()


def test_who_hands_over_is_told_once_who_was_found_and_when_to_meet(block, ada):
    relief_block = granted(block, ada, making.doors_of(block)[2])
    making.claimed(relief_block, making.driver("Ben"), at=NOW)

    making.relay_all(at=NOW)
    making.relay_all(at=NOW)

    mail = Message.objects.get(name="block_relief_coming")
    assert (mail.to, mail.subject) == (ada.user.email, "Ben comes to meet you")
    assert "Be at the meeting place at 2:10" in mail.text
    [found] = making.facts_named("block.relief_found")
    assert (found.data["block"]["code"], found.data["relief"]) == (block.code, relief_block.code)


def test_whom_the_taker_gave_back_before_it_was_told_nobody_is_waited_for(block, ada):
    relief_block, ben = granted(block, ada, making.doors_of(block)[2]), making.driver("Ben")
    making.claimed(relief_block, ben, at=NOW)
    claiming.release(block_code=relief_block.code, driver_id=ben.pk, at=NOW)

    making.relay_all(at=NOW)

    assert not Message.objects.filter(name="block_relief_coming").exists()


def test_a_page_that_waits_for_relief_costs_no_bytes_while_nothing_changes(client, block, ada):
    asked(block, ada, making.doors_of(block)[2])
    client.force_login(ada.user)
    seen = client.get(url("driver_block_detail", block), headers={"HX-Request": "true"})

    again = client.get(
        url("driver_block_detail", block), headers={"HX-Request": "true", "If-None-Match": seen["ETag"]}
    )

    assert (again.status_code, again.content) == (304, b"")


def test_a_check_in_of_a_block_that_starts_at_its_mall_tells_nobody_else(block, ada):
    other = making.block([making.order(making.store(block.mall, "Quill & Co"))], start=START + 5 * HOUR)
    ben = making.driver("Ben")
    making.claimed(other, ben)
    attendance.check_in(
        block_code=other.code, driver_id=ben.pk, point=other.mall.point, accuracy_m=5, desk_code="",
        at=other.starts_at,
    )  # fmt: skip

    making.relay_all(at=other.starts_at)

    assert not Message.objects.filter(name="block_relief_here").exists()
