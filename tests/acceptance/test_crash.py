"""The crash matrix: SIGKILL at every point between receiving and recording, and nothing is lost by it."""

import sys
from pathlib import Path

import pytest

from tests.support.crashing import POINTS, resolved
from tests.support.rounds import by_turns, play, told

TESTS = 10
ROUNDS = 20


@pytest.mark.parametrize("name", POINTS)
def test_every_point_names_a_function_that_exists(name: str) -> None:
    _, _, function = resolved(POINTS[name])
    assert callable(function)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("part", range(TESTS))
async def test_kills_at_every_point_lose_nothing_and_keep_the_order(part: int, tmp_path: Path) -> None:
    played = await play(by_turns(part * ROUNDS, ROUNDS), tmp_path)
    assert played.killed.total() == ROUNDS
    sys.stdout.write(f"{told([played])}\n")  # shown by pytest -rP


def test_the_rounds_pass_every_point() -> None:
    assert {one.point for one in by_turns(0, TESTS * ROUNDS)} == POINTS.keys()
