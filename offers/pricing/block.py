"""One block: its terms and its work become lines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from offers.pricing import floors
from offers.pricing.floors import Offered, Scope
from offers.pricing.lines import LineKind, Pay, PayLine, line, plain, round_half_up
from offers.pricing.rates import METRES
from offers.pricing.work import MINUTE, ZERO, Cents, ExtraTrip, Outcome, Terms, Work, notice_percent

_MICROSECOND = timedelta(microseconds=1)
_AN_HOUR = 3_600_000_000
WHOLE = 100  # percent


def price(terms: Terms, work: Work) -> Pay:
    """What the work pays under the terms, line by line; lines of nothing are left out.

    Floors of a single offer are among them; those of a shift, a period or a pool need the other blocks too
    (`floors.dues`).
    """
    lines = earned(terms, work)
    for due in dues_of_offer(terms, work, lines):
        lines += [each for each in due.lines() if each.cents]
    return Pay(tuple(lines))


def dues_of_offer(terms: Terms, work: Work, lines: Iterable[PayLine]) -> tuple[floors.Due, ...]:
    """What the floors of a single offer come to beside these lines."""
    own = [floor for floor in terms.floors if floor.scope is Scope.OFFER]
    return floors.dues(own, [offered_of(work, lines, key="")]) if own else ()


def earned(terms: Terms, work: Work) -> list[PayLine]:
    """The lines before any floor."""
    lines: list[PayLine] = [*_time_lines(terms, work), *_wait_lines(terms, work)]
    if work.returns:
        cents = terms.return_cents * work.returns
        lines.append(line(LineKind.RETURN, cents, terms.rule, trips=work.returns, rate=terms.return_cents))
    lines += [_extra_line(terms, work, trip) for trip in work.extra_trips]
    lines += [line(LineKind.BONUS, bonus.cents, bonus.rule, name=bonus.name) for bonus in work.bonuses]
    if terms.tolls_refunded:
        lines.append(line(LineKind.TOLL, work.tolls_cents, terms.rule))
    lines += [line(LineKind.TIP, tip.cents, terms.rule, order=tip.order) for tip in work.tips]
    return [each for each in lines if each.cents]


def offered_of(
    work: Work, lines: Iterable[PayLine], *, key: str, driver: str = "", shift: str = "", period: str = ""
) -> Offered:
    """The block as a floor sees it."""
    paid: dict[LineKind, Fraction] = {}
    for each in lines:
        paid[each.kind] = paid.get(each.kind, Fraction(0)) + each.cents
    return Offered(
        key=key,
        driver=driver,
        shift=shift,
        period=period,
        engaged=work.engaged,
        paid=paid,
        mileage_paid=Fraction(work.mileage_paid_cents),
        done=work.outcome not in {Outcome.WITHDRAWN, Outcome.STOOD_DOWN},
    )


def for_time(rate_cents_h: Cents | Fraction, time: timedelta) -> Fraction:
    """What `time` is worth at an hourly rate, in exact cents."""
    return Fraction(rate_cents_h) * Fraction(time // _MICROSECOND, _AN_HOUR)


def _time_lines(terms: Terms, work: Work) -> Iterable[PayLine]:
    if work.outcome is Outcome.WITHDRAWN:
        assert work.notice is not None, "Work checks it."
        yield _share_line(LineKind.WITHDRAWN, terms, work, notice_percent(work.notice, terms.notice))
        return
    if work.outcome is Outcome.STOOD_DOWN:
        yield _share_line(LineKind.STOOD_DOWN, terms, work, terms.stood_down_percent)
        return
    share = _share_done(work)
    hours = plain(share * Fraction(work.scheduled // _MICROSECOND, _AN_HOUR))
    if terms.flat_cents is not None:
        yield line(LineKind.BASE, round_half_up(terms.flat_cents * share), terms.rule)
    else:
        base = round_half_up(for_time(terms.base_cents_h, work.scheduled) * share)
        yield line(LineKind.BASE, base, terms.rule, hours=hours, rate=terms.base_cents_h)
    step = round_half_up(for_time(terms.step_cents_h, work.scheduled) * share)
    yield line(LineKind.STEP, step, terms.step_rule or terms.rule, hours=hours, rate=terms.step_cents_h)
    rate = _own_rate(terms, work) if terms.overtime_cents_h is None else terms.overtime_cents_h
    minutes = started_minutes(work.overtime)
    overtime = round_half_up(for_time(rate, minutes * MINUTE))
    yield line(LineKind.OVERTIME, overtime, terms.rule, minutes=minutes, rate=_shown(rate))


def _share_done(work: Work) -> Fraction:
    """Of the scheduled window: all, what was agreed for a partial block, or the time until it was aborted."""
    if work.outcome is Outcome.PARTIAL:
        assert work.share is not None, "Work checks it."
        return work.share
    if work.outcome is Outcome.ABORTED and work.scheduled > ZERO:
        assert work.worked is not None, "Work checks it."
        return min(Fraction(1), Fraction(work.worked // _MICROSECOND, work.scheduled // _MICROSECOND))
    return Fraction(1)


def _share_line(kind: LineKind, terms: Terms, work: Work, percent: Decimal) -> PayLine:
    """A share of the quote, computed from the exact quote: half of a rounded sum would be rounded twice. All of it is
    what was quoted, base and step each rounded."""
    timed = for_time(terms.base_cents_h, work.scheduled)
    base = timed if terms.flat_cents is None else Fraction(terms.flat_cents)
    step = for_time(terms.step_cents_h, work.scheduled)
    if percent == WHOLE:
        cents = round_half_up(base) + round_half_up(step)
    else:
        cents = round_half_up((base + step) * Fraction(percent) / WHOLE)
    return line(kind, cents, terms.rule, percent=plain(percent))


def _own_rate(terms: Terms, work: Work) -> Cents | Fraction:
    """The block's rate; that of flat pay is what it comes to in an hour."""
    if terms.flat_cents is None or work.scheduled <= ZERO:
        return terms.rate_cents_h
    hourly = terms.flat_cents * Fraction(_AN_HOUR, work.scheduled // _MICROSECOND)
    return hourly + Fraction(terms.step_cents_h)


def _shown(rate: Cents | Fraction) -> str:
    return plain(rate) if isinstance(rate, Fraction) else str(rate)


def _wait_lines(terms: Terms, work: Work) -> Iterable[PayLine]:
    rate = _own_rate(terms, work) if terms.wait_cents_h is None else terms.wait_cents_h
    free: dict[tuple[str, int], timedelta] = {}
    for wait in work.waits:
        # What a visit is free of, it is free of once, however the blame for its waits is divided.
        visit = (wait.store, wait.visit)
        left = free.get(visit, terms.free_wait)
        free[visit] = max(ZERO, left - wait.waited)
        minutes = started_minutes(wait.waited - left)
        cents = round_half_up(for_time(rate, minutes * MINUTE))
        payer = wait.store if wait.at_fault else None
        again = {"visit": wait.visit} if wait.visit > 1 else {}
        yield line(
            LineKind.WAIT,
            cents,
            terms.rule,
            payer,
            minutes=minutes,
            store=wait.store,
            rate=_shown(rate),
            **again,
        )


def _extra_line(terms: Terms, work: Work, trip: ExtraTrip) -> PayLine:
    rate = _own_rate(terms, work) if terms.extra_cents_h is None else terms.extra_cents_h
    miles = Fraction(trip.metres) / Fraction(METRES["mi"])
    minutes = started_minutes(trip.time)
    exact = (
        terms.extra_trip_cents + for_time(rate, minutes * MINUTE) + miles * Fraction(terms.extra_cents_mile)
    )
    return line(
        LineKind.EXTRA_TRIP,
        round_half_up(exact),
        terms.rule,
        name=trip.name,
        minutes=minutes,
        miles=plain(miles),
    )


def started_minutes(time: timedelta) -> int:
    """Minutes begun, zero for none or less: a driver's minute is not cut."""
    return max(0, -(-time // MINUTE))
