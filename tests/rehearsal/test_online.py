"""Targets are asked what they would take; nothing of it is a message, and no secret is told."""

import asyncio

import pytest

from bridge.component import Http
from bridge.component.client import Client
from bridge.config.problems import Problems
from bridge.errors import AccessRefused, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.options import read_yaml
from bridge.rehearsal.online import Answered, ask
from tests.support.targets import ScriptedTarget

RULES = b"targets:\n  one: {type: scripted}\n"


class Asked(ScriptedTarget):
    """Answers as it is told to."""

    answer: str | Exception | None = None

    async def probe(self, http: Http) -> str | None:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def answered(answer: str | Exception | None) -> Answered:
    target = Asked("one")
    target.answer = answer
    async with Client() as http:
        [found] = await ask([target], http, Problems(read_yaml(RULES, "rules.yaml")))
    return found


async def test_what_is_found_is_told_without_secrets() -> None:
    assert str(await answered("posts as hush-hush")) == "one: posts as ***"


async def test_a_target_that_cannot_be_asked_says_so() -> None:
    assert str(await answered(None)) == "one: cannot be asked without sending something"


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (AccessRefused("answered 401", excerpt="no\n hush-hush"), 'target-refused: target "one": answered 401: no ***'),
        (PermanentFailure("no such board"), 'target-refused: target "one": no such board'),
        (TransientFailure("no connection"), 'target-unreachable: target "one": no connection'),
        (UnknownOutcome("no complete answer"), 'target-unreachable: target "one": no complete answer'),
        (KeyError("hush-hush"), 'target-unreachable: target "one": asking it failed: KeyError'),
    ],
)
async def test_a_failure_is_a_problem_at_the_target(failure: Exception, told: str) -> None:
    found = await answered(failure)
    assert str(found.problem) == f"rules.yaml:2:3: {told}"


async def test_a_target_that_takes_too_long_is_a_problem() -> None:
    class Slow(ScriptedTarget):
        async def probe(self, http: Http) -> str | None:
            await asyncio.Event().wait()
            return None

    target = Slow("one", timeout=0.01)
    async with Client() as http:
        [found] = await ask([target], http, Problems(read_yaml(RULES, "rules.yaml")))
    assert found.problem is not None
    assert found.problem.message == 'target "one": no complete answer within 0.01 s'
