"""What happens to a block on the way, through HTTP: the driver's portal and API, and operations."""

import pytest
from django.urls import reverse

from deliveries.models import Handover, Parcel
from drivers import badge
from offers import aborting, attendance, relieving
from offers.models import Block
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.accounts.models import User
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Fact

pytestmark = pytest.mark.django_db
BUDGET = 12
BROKEN = START + HOUR


@pytest.fixture(autouse=True)
def _now(time_machine, db):
    time_machine.move_to(BROKEN, tick=False)


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def ben():
    return making.driver("Ben")


@pytest.fixture
def block(ada):
    return making.on_the_way(ada, at=START + 10 * MINUTE)


@pytest.fixture
def boss():
    return User.objects.create(email="ops@example.com", name="Ops", is_staff=True, is_superuser=True)


def url(name, block):
    return reverse(f"offers:{name}", args=[block.code])


def meeting(block, ada, ben):
    aborting.abort(block_code=block.code, driver_id=ada.pk, reason="crash", note="", point=None, at=BROKEN)
    found = relieving.reliefs_of(block).get()
    making.claimed(found, ben, at=BROKEN)
    stop = relieving.meeting_of(found)
    attendance.check_in(
        block_code=found.code, driver_id=ben.pk, point=stop.point, accuracy_m=5, desk_code="", at=BROKEN
    )
    return stop


def test_the_driver_ends_a_block_with_one_tap_and_is_told_who_comes(client, block, ada, ben):
    client.force_login(ada.user)
    page = client.get(url("driver_block_detail", block)).content.decode()
    assert "I cannot go on" in page

    answer = client.post(
        url("driver_ending", block), {"reason": "breakdown", "note": "tyre", "lat": "36.16", "lng": "-115.21"}
    )

    assert (answer.status_code, answer["Location"]) == (302, "/drive/block/")
    page = client.get("/drive/block/").content.decode()
    assert "Stay where you are safe" in page
    assert "I cannot go on" not in page
    making.claimed(relieving.reliefs_of(block).get(), ben, at=BROKEN)
    page = client.get("/drive/block/").content.decode()
    assert "takes over from you, in a blue Toyota Corolla" in page


def test_the_one_who_hands_over_enters_the_code_of_the_one_who_takes_over(client, block, ada, ben):
    stop = meeting(block, ada, ben)
    client.force_login(ada.user)
    assert "Hand over your parcels" in client.get("/drive/block/").content.decode()

    wrong = client.post(url("driver_handover", block), {"driver_code": "000000"})
    right = client.post(url("driver_handover", block), {"driver_code": badge.code(ben.badge_secret, BROKEN)})

    assert (wrong.status_code, right.status_code) == (422, 302)
    assert "not the code of the driver who takes over" in wrong.content.decode()
    assert Handover.objects.get(stop=stop).driver == ben


def test_the_one_who_takes_over_sees_what_to_scan_at_the_meeting(client, block, ada, ben):
    stop = meeting(block, ada, ben)
    client.force_login(ben.user)

    page = client.get(f"/drive/stops/{stop.code}/").content.decode()

    assert "The other driver has not confirmed yet" in page
    assert all(f"{code[:4]}" in page for code in Parcel.objects.values_list("code", flat=True))
    assert "Take over" in client.get("/drive/block/").content.decode()


def test_pages_of_a_broken_off_block_keep_to_their_queries(
    client, block, ada, ben, boss, django_assert_max_num_queries
):
    meeting(block, ada, ben)
    for user, path in (
        (ada.user, url("driver_block_detail", block)),
        (ben.user, "/drive/block/"),
        (boss, url("ops_block", block)),
    ):
        client.force_login(user)
        client.get(path)
        with django_assert_max_num_queries(BUDGET):
            assert client.get(path).status_code == 200


def test_by_the_api_a_block_is_ended_and_handed_over_and_a_repeat_is_harmless(client, block, ada, ben):
    client.force_login(ada.user)
    path = f"/api/v1/driver/blocks/{block.code}"
    body = {"reason": "illness", "latitude": 36.16, "longitude": -115.21}

    first = client.put(f"{path}/ending", body, content_type="application/json")
    second = client.put(f"{path}/ending", body, content_type="application/json")
    nobody = client.put(f"{path}/handover", {"driver_code": "000000"}, content_type="application/json")
    unknown = client.put(f"{path}/ending", {"reason": "bored"}, content_type="application/json")

    assert [first.status_code, second.status_code] == [200, 200]
    assert (first.json()["status"], second.json()["status"]) == ("aborted", "aborted")
    assert (nobody.status_code, nobody.json()["code"]) == (409, "nobody_to_hand_over_to")
    assert (unknown.status_code, unknown.json()["field_errors"][0]["field"]) == (400, "reason")
    assert len(making.facts_named("block.aborted")) == 1


def test_by_the_api_the_code_of_the_one_who_takes_over_is_confirmed(client, block, ada, ben):
    stop = meeting(block, ada, ben)
    client.force_login(ada.user)
    path = f"/api/v1/driver/blocks/{block.code}/handover"

    wrong = client.put(path, {"driver_code": "000000"}, content_type="application/json")
    assert Handover.objects.filter(stop=stop).count() == 0
    body = {"driver_code": badge.code(ben.badge_secret, BROKEN)}
    right = client.put(path, body, content_type="application/json")

    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_rescuer_code")
    assert right.status_code == 200, right.content
    assert Handover.objects.get(stop=stop).driver == ben


def test_another_drivers_block_is_not_there_and_a_wrong_role_may_not(client, block, ben):
    client.force_login(ben.user)
    before = Fact.objects.count()

    answers = [
        client.post(url("driver_ending", block), {"reason": "crash"}).status_code,
        client.post(url("driver_handover", block), {"driver_code": "1"}).status_code,
        client.put(
            f"/api/v1/driver/blocks/{block.code}/ending", {"reason": "crash"}, content_type="application/json"
        ).status_code,
        *(
            client.post(url(name, block)).status_code
            for name in ("ops_split", "ops_hand_over", "ops_abort", "ops_confirm_handover")
        ),
    ]

    assert answers == [404, 404, 404, 403, 403, 403, 403]
    assert Fact.objects.count() == before


def test_operations_hand_over_the_rest_and_confirm_for_a_driver_who_cannot(client, block, ada, ben, boss):
    client.force_login(boss)
    last = making.doors_of(block)[2]
    page = client.get(url("ops_block", block)).content.decode()
    assert "Hand over on the way" in page

    answer = client.post(url("ops_hand_over", block), {"stops": [last.code]})
    again = client.post(url("ops_hand_over", block), {"stops": [last.code]})

    assert (answer.status_code, again.status_code) == (302, 409)
    found = relieving.reliefs_of(block).get()
    assert found.code in client.get(url("ops_block", block)).content.decode()
    assert "Takes over from" in client.get(url("ops_block", found)).content.decode()
    making.claimed(found, ben, at=BROKEN)
    place = relieving.meeting_of(found)
    attendance.check_in(
        block_code=found.code, driver_id=ben.pk, point=place.point, accuracy_m=5, desk_code="", at=BROKEN
    )
    assert client.post(url("ops_confirm_handover", block)).status_code == 302
    assert Handover.objects.get(stop=place).confirmed_by == boss


def test_operations_break_a_block_off(client, block, boss):
    client.force_login(boss)

    nothing = client.post(url("ops_abort", block), {"reason": ""})
    done = client.post(url("ops_abort", block), {"reason": "crash", "note": "police called"})

    assert (nothing.status_code, done.status_code) == (422, 302)
    block.refresh_from_db()
    assert block.status == "aborted"


def test_operations_split_a_block_that_is_not_loaded(client, boss, ada):
    store = making.store(making.mall())
    made = making.block([making.order(store, point=Point(36.15 + n / 100, -115.2)) for n in range(3)], at=AT)
    client.force_login(boss)
    assert "Split off" in client.get(url("ops_block", made)).content.decode()

    none = client.post(url("ops_split", made), {})
    done = client.post(url("ops_split", made), {"stops": [making.doors_of(made)[2].code]})

    assert (none.status_code, done.status_code) == (422, 302)
    assert Block.objects.count() == 2


# -- The order of stops --------------------------------------------------------------------------------------


def in_order(block):
    return [door.code for door in making.doors_of(block)]


def test_the_driver_moves_a_stop_up_and_the_page_says_what_becomes_of_promises(client, block, ada):
    client.force_login(ada.user)
    before = in_order(block)
    path = url("driver_route", block)
    assert "Your order" in client.get(path).content.decode()

    answer = client.post(path, {"stops": before, "move": f"up:{before[2]}"})

    assert (answer.status_code, answer["Location"]) == (302, path)
    assert in_order(block) == [before[0], before[2], before[1]]
    client.post(path, {"stops": in_order(block), "move": f"down:{before[0]}"})
    assert in_order(block) == [before[2], before[0], before[1]]
    wrong = client.post(path, {"stops": before[:1]})
    assert wrong.status_code == 422
    assert "Name every stop of this trip still to come once" in wrong.content.decode()


def test_a_better_order_is_proposed_when_a_promise_is_at_risk_and_taken_with_one_tap(client, block, ada):
    last = making.doors_of(block)[2]
    order = last.dropoffs.get().order
    order.window = type(order.window)(START, BROKEN + 14 * MINUTE, "[)")
    order.save(update_fields=["window"])
    last.eta_at = BROKEN + 50 * MINUTE
    last.save(update_fields=["eta_at"])
    client.force_login(ada.user)
    assert "A promise is at risk" in client.get(url("driver_block_detail", block)).content.decode()
    path = url("driver_route", block)
    assert "It keeps one more promise." in client.get(path).content.decode()
    api = client.get(f"/api/v1/driver/blocks/{block.code}/route").json()
    assert [each["code"] for each in api["warnings"]] == [last.code]
    better = [each["code"] for each in api["proposal"]["stops"]]

    client.post(path, {"stops": better})

    assert in_order(block) == better
    assert better[0] == last.code
    assert "A better order" not in client.get(path).content.decode()


def test_by_the_api_the_order_is_put_a_repeat_is_harmless_and_strangers_get_404(client, block, ada, ben):
    client.force_login(ada.user)
    path = f"/api/v1/driver/blocks/{block.code}/route"
    wanted = in_order(block)[::-1]

    answers = [client.put(path, {"stops": wanted}, content_type="application/json") for _ in range(2)]
    wrong = client.put(path, {"stops": wanted[:2]}, content_type="application/json")
    client.force_login(ben.user)
    strange = client.put(path, {"stops": wanted}, content_type="application/json")

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [each["code"] for each in answers[0].json()["stops"]] == wanted
    assert (wrong.status_code, wrong.json()["code"]) == (422, "stops_differ")
    assert wrong.json()["field_errors"][0]["field"] == "stops"
    assert strange.status_code == 404
    assert len(making.facts_named("manifest.resequenced")) == 1


def test_the_page_of_the_order_keeps_to_its_queries(client, block, ada, django_assert_max_num_queries):
    client.force_login(ada.user)
    client.get(url("driver_route", block))
    with django_assert_max_num_queries(BUDGET):
        client.get(url("driver_route", block))


def a_promise_at_risk(block, *, due=BROKEN + 14 * MINUTE):
    """The last door should come first: only so its promise is kept."""
    last = making.doors_of(block)[2]
    order = last.dropoffs.get().order
    order.window = type(order.window)(START, due, "[)")
    order.save(update_fields=["window"])
    return last


def test_who_keeps_their_order_is_not_asked_again_until_facts_change_what_it_saves(client, block, ada):
    a_promise_at_risk(block)
    client.force_login(ada.user)
    path, api = url("driver_route", block), f"/api/v1/driver/blocks/{block.code}/route"
    shown = [each["code"] for each in client.get(api).json()["proposal"]["stops"]]
    before = in_order(block)

    for _press in range(2):
        answer = client.post(path, {"stops": shown, "keep": "1"})
        assert (answer.status_code, answer["Location"]) == (302, url("driver_block_detail", block))

    assert in_order(block) == before
    assert len(making.facts_named("manifest.order_kept")) == 1
    assert "A better order" not in client.get(path).content.decode()
    assert client.get(api).json()["proposal"] is None
    making.deliver(making.doors_of(block)[0], ada, at=BROKEN)
    assert client.get(api).json()["proposal"] is None

    middle = making.doors_of(block)[1].dropoffs.get().order
    middle.window = type(middle.window)(BROKEN + 3 * HOUR, BROKEN + 4 * HOUR, "[)")
    middle.save(update_fields=["window"])

    assert client.get(api).json()["proposal"]["late_minutes"] > 60
    assert "A better order" in client.get(path).content.decode()


def test_a_proposal_that_is_no_longer_the_one_shown_is_not_put_away_unseen(client, block, ada):
    a_promise_at_risk(block)
    client.force_login(ada.user)
    api = f"/api/v1/driver/blocks/{block.code}/route"

    other = client.put(f"{api}/kept", {"stops": in_order(block)}, content_type="application/json").json()
    shown = [each["code"] for each in other["proposal"]["stops"]]
    kept = client.put(f"{api}/kept", {"stops": shown}, content_type="application/json").json()

    assert kept["proposal"] is None
    assert client.get(api).json()["proposal"] is None
    # Their own order changes: what was said of the one before it no longer holds.
    moved = [in_order(block)[each] for each in (1, 0, 2)]
    client.put(api, {"stops": moved}, content_type="application/json")
    assert client.get(api).json()["proposal"] is not None


def test_nobody_keeps_the_order_of_anothers_block(client, block, ben):
    client.force_login(ben.user)

    page = client.post(url("driver_route", block), {"stops": in_order(block), "keep": "1"})
    api = client.put(
        f"/api/v1/driver/blocks/{block.code}/route/kept",
        {"stops": in_order(block)},
        content_type="application/json",
    )

    assert (page.status_code, api.status_code) == (404, 404)
    assert not making.facts_named("manifest.order_kept")
