"""How much is claimed ahead: by how quick a target is, and never behind its rate."""

from bridge.delivery.ahead import MOST, Ahead
from bridge.model import Limits, Rate

FOUR = Limits(4, None)


def after(*seconds: float) -> Ahead:
    ahead = Ahead()
    for each in seconds:
        ahead.learn(each)
    return ahead


def test_as_many_again_are_claimed_at_first() -> None:
    assert after().claimable(FOUR) == 8


def test_quick_attempts_let_more_be_claimed_and_slow_ones_fewer() -> None:
    assert after(*[0.001] * 400).claimable(FOUR) == 4 * (1 + MOST)
    assert after(*[0.001] * 400, 15.0).claimable(FOUR) == 8
    assert after(*[0.05] * 400).claimable(FOUR) in {11, 12}, "two rounds in a tenth of a second"


def test_with_a_rate_nothing_is_claimed_ahead() -> None:
    assert after(*[0.001] * 400).claimable(Limits(4, Rate(1, 1.0))) == 4


def test_claims_that_were_made_for_a_quick_target_are_too_much_for_a_slow_one() -> None:
    ahead = after(*[0.001] * 400)
    assert not ahead.is_too_much(4 * (1 + MOST), FOUR)
    ahead.learn(15.0)
    assert ahead.is_too_much(4 * (1 + MOST), FOUR)
    assert not ahead.is_too_much(16, FOUR)
