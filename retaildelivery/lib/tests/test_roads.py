"""A curve of travel times, and its fit to what was driven."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retaildelivery.lib.roads import Curve, Fit, Leg, fit


def legs(count, *, rate=4.0, exponent=0.8, rush=1.0, noise=0.0, seed=1):
    """Legs of a city with this curve, rush hour at five."""
    dice = random.Random(seed)
    made = []
    for number in range(count):
        km, hour = 0.5 + 12 * dice.random(), (10, 17)[number % 2]
        minutes = rate * km**exponent * (rush if hour == 17 else 1) * (1 + noise * (2 * dice.random() - 1))
        made.append(Leg(km, minutes, hour))
    return made


def test_a_clean_city_is_found_again():
    found = fit(legs(400), before=Curve())

    assert (round(found.curve.minutes_per_km, 2), round(found.curve.exponent, 2)) == (4.0, 0.8)
    assert found.error_percent < 0.5
    assert found.is_better


def test_rush_hour_is_told_from_the_rest_of_the_day():
    found = fit(legs(1000, rush=1.4), before=Curve())

    assert 1.3 < found.curve.factors[17] / found.curve.factors[10] < 1.42
    assert found.curve.factors[3] == 1.0


def test_an_hour_with_few_legs_is_hardly_believed():
    few = [Leg(5.0, 60.0, 7), *legs(400)]

    assert fit(few, before=Curve()).curve.factors[7] == 1.0


def test_breaks_and_phones_that_lie_are_left_out():
    wrong = [
        Leg(2.0, 110.0, 10),  # a meal on the way
        Leg(0.01, 30.0, 10),  # the next door
        Leg(30.0, 3.0, 10),  # 600 km/h
        Leg(3.0, 0.0, 10),
        Leg(80.0, 90.0, 10),
    ]

    found = fit([*legs(400, noise=0.2), *wrong], before=Curve())

    assert (found.legs, found.left_out) == (400, 5)
    assert 3.7 < found.curve.minutes_per_km < 4.3


def test_a_fit_to_noise_is_no_better_than_the_truth():
    noisy = legs(40, rate=3.2, exponent=0.72, noise=0.6)

    found = fit(noisy, before=Curve())

    assert found.error_percent > found.error_before_percent * 0.9


def test_legs_that_are_all_alike_keep_the_default_slope():
    found = fit([Leg(4.0, 12.0, 10)] * 50, before=Curve())

    assert found.curve.exponent == 0.72
    assert round(found.curve.minutes(4.0, 10), 1) == 12.0


def test_without_a_plausible_leg_there_is_no_fit():
    assert fit([Leg(0.0, 0.0, 0)], before=Curve()) is None


def test_better_means_less_error_and_equal_does_not_count():
    assert not Fit(Curve(), 1, 0, 10.0, 10.0).is_better


@pytest.mark.parametrize(
    "wrong", [{"factors": (1.0,) * 23}, {"factors": (0.0,) * 24}, {"minutes_per_km": 0.0}, {"exponent": -1.0}]
)
def test_a_curve_that_does_not_rise_is_refused(wrong):
    with pytest.raises(ValueError, match="travel"):
        Curve(**wrong)


@given(
    st.lists(
        st.builds(Leg, st.floats(0, 100), st.floats(0, 500), st.integers(0, 23)),
        max_size=60,
    )
)
def test_whatever_was_driven_a_fit_is_a_usable_curve(driven):
    found = fit(driven, before=Curve())

    if found is not None:
        assert found.legs + found.left_out == len(driven)
        ways = [found.curve.seconds(km, hour=9) for km in (0.0, 0.5, 1.0, 5.0, 50.0)]
        assert ways == sorted(ways)
        assert all(0.6 <= factor <= 2.5 for factor in found.curve.factors)
