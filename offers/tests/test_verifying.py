"""Anybody can recompute a draw, and whatever was tampered with is found."""

import copy
import json
import math
from collections import Counter
from io import StringIO
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext
from hypothesis import given
from hypothesis import strategies as st

from offers import expiry, lottery, verification
from offers.models import Draw, Entry
from offers.tests import making
from offers.tests.making import AT, MINUTE

CLOSE = AT + 5 * MINUTE


@pytest.fixture
def drawn(db):
    block = making.block([making.order(making.store(making.mall(draws=True)))])
    making.entered(making.offer_of(block), *(making.driver(name) for name in ("Ada", "Ben", "Chidi")))
    expiry.sweep(at=CLOSE)
    return Draw.objects.select_related("offer__block__mall__market").get()


def verified(*arguments):
    out = StringIO()
    call_command("verify_draw", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_recomputes_the_draw_by_the_code_of_its_offer_or_block(drawn):
    for code in (drawn.offer.code, drawn.offer.block.code, drawn.offer.code.lower()):
        assert "As promised" in verified(code)


def test_the_export_alone_is_enough(drawn, client, tmp_path):
    answer = client.get(reverse("offers:draw_export", args=[drawn.offer.code]))
    file = tmp_path / "draw.json"
    file.write_bytes(answer.content)

    assert "As promised" in verified("--file", str(file))
    assert lottery.main([str(file)]) == 0


def test_the_export_names_nobody(drawn, client):
    text = client.get(reverse("offers:draw_export", args=[drawn.offer.code])).content.decode()

    for entry in Entry.objects.select_related("driver__user"):
        assert entry.driver.code not in text
        assert entry.driver.user.name not in text
        assert entry.entrant in text


def reseed(public):
    public["seed"] = "0" * 64


def reseed_with_its_hash(public):
    public["seed"], public["seed_hash"] = "0" * 64, lottery.commitment("0" * 64)


def drop(public):
    public["entrants"].pop()


def add(public):
    public["entrants"].append({"rank": 4, "entrant": "ZZZZZZZZZZZZ", "weight": 1000})


def heavier(public):
    public["entrants"][2]["weight"] = 99_999


def swap(public):
    first, second = public["entrants"][:2]
    first["rank"], second["rank"] = second["rank"], first["rank"]


def twice(public):
    public["entrants"][1] = dict(public["entrants"][0], rank=2)


def weightless(public):
    public["entrants"][0]["weight"] = 0


def gap(public):
    public["entrants"][2]["rank"] = 4


TAMPERED = [reseed, reseed_with_its_hash, drop, add, heavier, swap, twice, weightless, gap]


@pytest.mark.parametrize("tamper", TAMPERED)
def test_whatever_is_tampered_with_in_an_export_is_found(drawn, tamper, tmp_path):
    public = copy.deepcopy(verification.document(drawn))
    assert lottery.faults(public) == []

    tamper(public)

    assert lottery.faults(public)
    file = tmp_path / "draw.json"
    file.write_text(json.dumps(public))
    assert lottery.main([str(file)]) == 1


def test_each_fault_of_the_lottery_is_said_in_the_readers_language(drawn):
    said = set()
    for tamper in TAMPERED:
        public = copy.deepcopy(verification.document(drawn))
        tamper(public)
        said |= set(lottery.faults(public))

    assert said == set(verification.FAULTS)
    with translation.override("es"):
        assert [fault for fault in verification.FAULTS if gettext(fault) == fault] == []


def test_the_page_names_what_does_not_fit_in_the_visitors_language(drawn, client):
    """Weight and standing changed by hand: the lottery, the facts and the published rule each see something."""
    Entry.objects.filter(rank=1).update(weight=7, points=100)
    Draw.objects.update(result_digest="0" * 64)
    url = reverse("offers:draw", args=[drawn.offer.code])

    spanish = client.get(url, headers={"accept-language": "es"}).content.decode()
    english = client.get(url, headers={"accept-language": "en"}).content.decode()

    assert "Entrants: the list or a weight is not the one that was fixed at the close" in english
    assert "Result: another one is on record from when it was drawn" in english
    assert f"Weights: {Entry.objects.get(rank=1).entrant} has another weight" in english
    assert "Participantes: la lista o un peso no es lo que quedó fijado al cierre" in spanish
    assert "Resultado: consta otro de cuando se sorteó" in spanish
    assert f"Pesos: {Entry.objects.get(rank=1).entrant} tiene otro peso" in spanish


def test_a_draw_redone_wholly_in_the_database_does_not_fit_what_is_on_record(drawn):
    """The control of the chain: everything recomputed with another seed fits by itself, yet not the facts."""
    seed = "f" * 64
    entrants = [lottery.Entrant(e.entrant, e.weight) for e in Entry.objects.all()]
    places = lottery.rank(seed, entrants)
    Entry.objects.update(rank=None, key="", weight=None)
    for place in places:
        Entry.objects.filter(entrant=place.entrant.code).update(
            rank=place.rank, key=f"{place.key:.12f}", weight=place.entrant.weight
        )
    hashed = lottery.commitment(seed)
    entries = lottery.entries_digest(offer=drawn.offer.code, seed_hash=hashed, entrants=entrants)
    result = lottery.result_digest(entries=entries, seed=seed, ranked=[p.entrant.code for p in places])
    Draw.objects.update(seed=seed, seed_hash=hashed, entries_digest=entries, result_digest=result)
    again = verification.find(drawn.offer.code)

    assert lottery.faults(verification.document(again)) == []
    assert [fault.split(":")[0] for fault in verification.check(again, verification.document(again))] == [
        "seed",
        "result",
    ]
    with pytest.raises(CommandError, match="NOT as promised"):
        verified(drawn.offer.code)


def test_a_weight_that_the_rule_does_not_give_is_found(drawn):
    Entry.objects.filter(rank=2).update(points=100)

    found = verification.check(drawn, verification.document(drawn))

    assert found == [
        f"weights: {Entry.objects.get(rank=2).entrant} has another weight than the published rule gives"
    ]


def test_before_it_is_drawn_only_the_promise_is_public(db, client):
    block = making.block([making.order(making.store(making.mall(draws=True)))])
    offer = making.offer_of(block)
    making.entered(offer, making.driver("Ada"))

    public = client.get(reverse("offers:draw_export", args=[offer.code])).json()

    assert public["seed_hash"] == offer.draw.seed_hash
    assert public.keys().isdisjoint({"seed", "entrants", "entries_digest"})
    assert offer.draw.seed not in client.get(reverse("offers:draw", args=[offer.code])).content.decode()
    with pytest.raises(CommandError, match="not drawn yet"):
        verified(offer.code)
    with pytest.raises(CommandError, match="was drawn here"):
        verified("FNOSUCH1")


def test_the_public_page_recomputes_and_shows_an_entrant_their_own_rank(
    drawn, client, django_assert_max_num_queries
):
    url = reverse("offers:draw", args=[drawn.offer.code])
    with django_assert_max_num_queries(12):
        page = client.get(url).content.decode()
    assert "it fits" in page
    assert drawn.seed in page
    assert "You are number" not in page

    second = Entry.objects.select_related("driver__user").get(rank=2)
    client.force_login(second.driver.user)
    assert "You are number 2 of 3" in client.get(url).content.decode()
    assert client.get(reverse("offers:draw", args=["FNOSUCH1"])).status_code == 404

    Entry.objects.filter(rank=1).update(weight=7)
    assert "does not fit" in client.get(url).content.decode()


# -- The lottery itself ----------------------------------------------------------------------------------------


@given(
    st.dictionaries(st.text("BCDFG", min_size=1, max_size=6), st.integers(1, 2000), max_size=12), st.randoms()
)
def test_the_order_of_the_entries_has_no_effect(weights, random):
    entrants = [lottery.Entrant(code, weight) for code, weight in weights.items()]
    shuffled = random.sample(entrants, len(entrants))

    assert lottery.rank("s" * 64, entrants) == lottery.rank("s" * 64, shuffled)
    assert sorted(place.entrant.code for place in lottery.rank("s" * 64, entrants)) == sorted(weights)


@given(
    st.dictionaries(st.text("BCDFG", min_size=1, max_size=6), st.integers(1, 2000), min_size=2, max_size=40),
    st.sampled_from(["s" * 64, "ab" * 32]),
    st.sampled_from([0.0, 1e-12, 1e-4, math.inf]),
)
def test_it_is_the_order_of_the_precise_keys_however_little_floats_tell_apart(weights, seed, apart):
    entrants = [lottery.Entrant(code, weight) for code, weight in weights.items()]

    with mock.patch.object(lottery, "_TELLS_APART", apart):
        places = lottery.rank(seed, entrants)

    precise = sorted(entrants, key=lambda entrant: (lottery.key(seed, entrant), entrant.code))
    assert [place.entrant for place in places] == precise
    assert all(
        abs(place.key - float(lottery.key(seed, place.entrant))) < lottery._TELLS_APART / 10
        for place in places
    )


def test_keys_that_floats_cannot_tell_apart_are_put_in_order_precisely(monkeypatch):
    seed, entrants = "s" * 64, [lottery.Entrant(code, 1000) for code in ("BB", "CC", "DD", "FF")]
    precise = sorted(entrants, key=lambda entrant: lottery.key(seed, entrant))
    monkeypatch.setattr(lottery, "_rough_key", lambda seed, entrant: 0.5)

    assert [place.entrant for place in lottery.rank(seed, entrants)] == precise
    monkeypatch.setattr(lottery, "_told_apart", lambda seed, near: near)
    assert [place.entrant for place in lottery.rank(seed, entrants)] != precise, "the control: by name"


def test_known_values_stay_what_they_are():
    """A draw of years ago must still verify: these are part of the contract."""
    seed = "ab" * 32
    entrant = lottery.Entrant("BCDFGHJKMNPQ", 1000)
    assert lottery.commitment(seed) == "271a413bd339c5709fdceaec41f14f11e9fbfb5042d72d331c65f32b284cd09a"
    assert lottery.entrant_code(offer="F234567", driver="D23456") == "P4M8SCFP2JD5"
    assert str(lottery.chance(seed, entrant.code)) == "0.643515779671850801094746"
    assert str(lottery.key(seed, entrant)) == "0.000440808730612028285320444"


def chi_square(counts, weights, draws):
    total = sum(weights.values())
    return sum((counts[c] - draws * w / total) ** 2 / (draws * w / total) for c, w in weights.items())


def test_over_ten_thousand_draws_wins_match_the_published_weights():
    """Chi-square with four degrees of freedom: 23.5 is exceeded once in ten thousand honest runs, and the seeds are
    fixed."""
    weights = {"AAAA": 1200, "BBBB": 1000, "CCCC": 500, "DDDD": 333, "EEEE": 60}
    entrants = [lottery.Entrant(code, weight) for code, weight in weights.items()]
    draws = 10_000
    results = [lottery.rank(f"{number:064x}", entrants) for number in range(draws)]

    firsts = Counter(places[0].entrant.code for places in results)

    assert chi_square(firsts, weights, draws) < 23.5
    assert chi_square(firsts, dict.fromkeys(weights, 1), draws) > 1_000, (
        "the control: equal weights do not fit"
    )
    # Who comes second among those who are left follows the same law.
    rest = {code: weight for code, weight in weights.items() if code != "AAAA"}
    seconds = Counter(places[1].entrant.code for places in results if places[0].entrant.code == "AAAA")
    assert chi_square(seconds, rest, sum(seconds.values())) < 21.1
