"""Bots against people: who gets the blocks when the first finger wins, and who when they are drawn.

    python benchmarks/bots.py

A tenth as many bots as people look at the feed five times a second and act at once; people look every ten to sixty
seconds and take some seconds to read. Each offer is handed out by the product's own verbs on a real database, with the
clock as an argument. Then a bot polls a real server faster than its budget. Goals: under draws the bots' share of wins
is no larger than their share of accounts, within the 95 % confidence interval; above the budget the answer is 429 with
Retry-After, and below it a bot is shown what everybody is shown.
"""

import argparse
import datetime as dt
import json
import math
import random
import sys
from typing import Any

from market import Client, finish, make_blocks, make_drivers, make_mall, request
from system import servers, web

BOT_POLLS_EVERY_S = 0.2
PEOPLE_POLL_S, PEOPLE_READ_S = (10.0, 60.0), (3.0, 20.0)
BUDGET = 120
Z95 = 1.96
SECOND, DAY = dt.timedelta(seconds=1), dt.timedelta(days=1)


def notices_after(dice: random.Random, *, bot: bool) -> float:
    """Seconds from the opening of an offer to when this account acts on it."""
    if bot:
        return dice.random() * BOT_POLLS_EVERY_S
    return dice.random() * dice.uniform(*PEOPLE_POLL_S) + dice.uniform(*PEOPLE_READ_S)


def play(offers: int, *, draws: bool, bots: int, people: int, seed: int) -> dict[str, Any]:
    """Hand out so many offers, one a day; whose wins they were."""
    from django.utils import timezone  # noqa: PLC0415

    from drivers.models import Driver  # noqa: PLC0415
    from offers import claiming, drawing, expiry  # noqa: PLC0415
    from offers.models import Claim, DrawRules, Offer  # noqa: PLC0415
    from retaildelivery.lib.refusals import Refused  # noqa: PLC0415
    from stores.models import Mall  # noqa: PLC0415

    DrawRules.objects.update_or_create(
        market=Mall.objects.get().market,
        valid_from=dt.date(2020, 1, 1),
        defaults={
            "first_come_within": DAY / 24 if draws else 400 * DAY,
            "entries": 60 * SECOND,
            "hold": 900 * SECOND,
        },
    )
    dice = random.Random(seed)
    accounts = list(Driver.objects.select_related("user").order_by("pk")[: bots + people])
    is_bot = {driver.pk: place < bots for place, driver in enumerate(accounts)}
    first_day = timezone.now() + (0 if draws else offers) * DAY
    wins = 0
    for number in range(offers):
        at = first_day + number * DAY
        code = make_blocks(Mall.objects.select_related("market").get(), 1, at=at, starts_in=DAY / 6)[0]
        offer = Offer.objects.select_related("draw", "block__mall__market").get(code=code)
        acting = sorted((notices_after(dice, bot=is_bot[a.pk]), a.pk, a) for a in accounts)
        for after, _pk, driver in acting:
            try:
                if not draws:
                    claiming.claim(offer_code=code, driver_id=driver.pk, at=at + after * SECOND)
                    break
                if after < 60:
                    drawing.enter(offer=offer, driver=driver, at=at + after * SECOND)
            except Refused:
                continue
        if draws:
            expiry.end(offer_id=offer.pk, at=offer.closes_at)
            award = offer.awards.filter(ended_at=None).first()
            if award is not None:
                claiming.claim(offer_code=code, driver_id=award.driver_id, at=offer.closes_at + SECOND)
        winner = Claim.objects.get(offer=offer).driver_id
        wins += is_bot[winner]
    share, fair = wins / offers, bots / (bots + people)
    return {
        "offers": offers,
        "won_by_bots": wins,
        "share_of_wins": round(share, 3),
        "share_of_accounts": round(fair, 3),
        "at_most_by_chance": round(fair + Z95 * math.sqrt(fair * (1 - fair) / offers), 3),
    }


def over_budget(tokens: list[str], *, polls: int) -> dict[str, Any]:
    """A bot that asks more than its budget allows, beside a person who asks once."""
    path = "/api/v1/driver/offers"
    with web("benchmarks.bare:application") as port:
        bot, person = Client(port), Client(port)
        answers = [bot.ask(request("GET", path, token=tokens[0])) for _ in range(polls)]
        seen = person.ask(request("GET", path, token=tokens[1]))
    allowed = [answer for answer in answers if answer.status == 200]
    refused = [answer for answer in answers if answer.status == 429]
    shown = {tuple(row["code"] for row in json.loads(a.body)["results"]) for a in [*allowed, seen]}
    return {
        "polls": polls,
        "budget": BUDGET,
        "answered": len(allowed),
        "refused_429": len(refused),
        "with_retry_after": sum(b"retry-after" in answer.headers.lower() for answer in refused),
        "shown_the_same_as_a_person": len(shown) == 1 and len(next(iter(shown))) > 0,
    }


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    from django.utils import timezone  # noqa: PLC0415

    at = timezone.now()
    mall = make_mall(draws=True)
    tokens = make_drivers(arguments.bots + arguments.people, at=at)
    common = {"bots": arguments.bots, "people": arguments.people, "seed": arguments.seed}
    drawn = play(arguments.offers, draws=True, **common)
    print("draws", drawn)
    first = play(arguments.offers, draws=False, **common)
    print("first come", first)
    make_blocks(mall, 3, at=at, starts_in=DAY / 6)
    budget = over_budget(tokens, polls=BUDGET + 60)
    reached = (
        drawn["share_of_wins"] <= drawn["at_most_by_chance"]
        and budget["refused_429"] == budget["with_retry_after"] > 0
        and budget["shown_the_same_as_a_person"]
    )
    return {
        "benchmark": "bots",
        "draws": drawn,
        "first_come": first,
        "over_budget": budget,
        "reached": reached,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--offers", type=int, default=150)
    parser.add_argument("--bots", type=int, default=8)
    parser.add_argument("--people", type=int, default=80)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    with servers(API_REQUESTS_PER_MINUTE=str(BUDGET)):
        result = measure(arguments)
    finish(result)
    sys.exit(not result["reached"])


if __name__ == "__main__":
    main()
