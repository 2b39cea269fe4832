"""One request: how often it is repeated, what is spent on it, and what comes of an answer."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bridge.component.remote import Urgency
from bridge.errors import (
    DeliveryFailure,
    RemoteGarbledError,
    RemoteInvalidError,
    RemoteRefusedError,
    RemoteUnavailableError,
    TransientFailure,
    UnknownOutcome,
)
from bridge.options import Secret
from bridge.rdstation.api.access import OAuthAccess, TokenAccess
from bridge.rdstation.api.budget import Budget
from bridge.rdstation.api.caller import Caller, items, whole
from bridge.rdstation.api.keeping import TokenFile, Tokens
from tests.rdstation.api.conftest import V1, V2, Crm, answer


@pytest.fixture
def caller(crm: Crm, budget: Budget, sleep: Any) -> Caller:
    return Caller(V1, TokenAccess(Secret("t0ken")), crm, budget, sleep)


async def test_a_request_carries_query_and_body(caller: Caller, crm: Crm) -> None:
    crm.script.append(answer(201, {"id": "1"}))
    got = await caller.ask("POST", "/api/v1/webhooks", Urgency.PERSON, query={"a": "b c"}, body={"url": "x"})
    assert got == {"id": "1"}
    (asked,) = crm.asked
    assert asked.url == "http://crm.test/api/v1/webhooks?a=b+c&token=t0ken"
    assert (asked.body, asked.headers["Content-Type"]) == (b'{"url":"x"}', "application/json")


async def test_an_answer_without_a_body_is_none(caller: Caller, crm: Crm) -> None:
    crm.script.append(answer(204))
    assert await caller.ask("DELETE", "/x", Urgency.PERSON) is None


async def test_what_a_message_asks_for_is_read_no_further_than_an_entity_goes(caller: Caller, crm: Crm) -> None:
    for urgency in Urgency:
        crm.script.append(answer(200, {}))
        await caller.ask("GET", "/x", urgency)
    most = dict(zip(Urgency, (request.most for request in crm.asked), strict=True))
    assert most[Urgency.MESSAGE] == 2**20
    assert most[Urgency.PERSON] == most[Urgency.REPAIR] == 2**24


@pytest.mark.parametrize(("body", "garbled"), [(b" <!doctype html>", False), (b'{"name": "Lo', True), (b"\xff", True)])
async def test_an_answer_that_is_no_json_is_none_to_be_used(
    caller: Caller, crm: Crm, body: bytes, *, garbled: bool
) -> None:
    crm.script.extend([answer(200, body)])
    with pytest.raises(RemoteUnavailableError, match="no JSON") as failure:
        await caller.ask("GET", "/x", Urgency.PERSON)
    assert isinstance(failure.value, RemoteGarbledError) is garbled, "a page for people says nothing of one question"


@pytest.mark.parametrize("fails", [answer(500), answer(429), TransientFailure("refused"), UnknownOutcome("late")])
async def test_what_may_succeed_later_is_asked_again(
    caller: Caller, crm: Crm, fails: Any, budget: Budget, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "close", lambda _: None)  # this test does not wait for it
    crm.script.extend([fails, answer(200, [])])
    assert await caller.ask("GET", "/x", Urgency.PERSON) == []
    assert len(waits) == 1


async def test_it_is_given_up_after_a_few(caller: Caller, crm: Crm) -> None:
    crm.script.extend([answer(503)] * 4)
    with pytest.raises(RemoteUnavailableError):
        await caller.ask("GET", "/x", Urgency.PERSON)
    assert len(crm.asked) == 4


@pytest.mark.parametrize(("urgency", "asked"), [(Urgency.MESSAGE, 4), (Urgency.PERSON, 4), (Urgency.REPAIR, 8)])
async def test_a_repair_outlasts_the_minute_that_the_limit_is_of(
    caller: Caller, crm: Crm, budget: Budget, monkeypatch: pytest.MonkeyPatch, urgency: Urgency, asked: int
) -> None:
    closed: list[float] = []
    monkeypatch.setattr(budget, "close", closed.append)
    crm.script.extend([answer(429)] * 8)
    with pytest.raises(RemoteUnavailableError):
        await caller.ask("GET", "/x", urgency)
    assert len(crm.asked) == asked
    assert (sum(closed[:-1]) > 60) is (urgency is Urgency.REPAIR)


async def test_what_is_refused_is_not_asked_again(caller: Caller, crm: Crm) -> None:
    crm.script.append(answer(422, {"errors": "no"}))
    with pytest.raises(RemoteInvalidError):
        await caller.ask("GET", "/x", Urgency.PERSON)


@pytest.mark.parametrize(
    ("fails", "times"), [(UnknownOutcome("late"), 1), (answer(500), 1), (TransientFailure("no"), 2)]
)
async def test_what_makes_something_is_repeated_only_if_it_was_not_made(
    caller: Caller, crm: Crm, fails: Any, times: int
) -> None:
    crm.script.extend([fails, answer(201, {})])
    if times == 1:
        with pytest.raises(RemoteUnavailableError):
            await caller.ask("POST", "/x", Urgency.PERSON, body={})
    else:
        await caller.ask("POST", "/x", Urgency.PERSON, body={})
    assert len(crm.asked) == times


@pytest.mark.parametrize(("header", "seconds"), [({}, 10), ({"retry_after": "7"}, 7), ({"retry_after": "9999"}, 60)])
async def test_after_a_429_nothing_is_asked_for_as_long_as_it_says(
    caller: Caller, crm: Crm, budget: Budget, header: dict[str, str], seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[float] = []
    monkeypatch.setattr(budget, "close", closed.append)
    crm.script.extend([answer(429, **header), answer(200, {})])
    await caller.ask("GET", "/x", Urgency.PERSON)
    assert closed == [seconds]


async def test_each_attempt_is_paid_for(caller: Caller, crm: Crm, budget: Budget) -> None:
    crm.script.extend([answer(500), answer(200, {})])
    await caller.ask("GET", "/x", Urgency.PERSON)
    assert budget.left == 118


async def test_a_wait_for_the_budget_can_be_given_up(crm: Crm) -> None:
    budget = Budget(most=1)
    caller = Caller(V1, TokenAccess(Secret("t")), crm, budget)
    crm.script.append(answer(200, {}))
    await caller.ask("GET", "/x", Urgency.PERSON)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(caller.ask("GET", "/x", Urgency.PERSON), 0.01)


async def test_a_revoked_access_token_is_replaced_once(crm: Crm, tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "t", Secret("s3cret"))
    file.save(Tokens(Secret("a1"), Secret("r1"), 9e12))
    caller = Caller(V2, OAuthAccess(V2, file), crm)
    renewed = {"access_token": "a2", "refresh_token": "r2", "expires_in": 7200}
    crm.script.extend([answer(401), answer(body=renewed), answer(200, {"data": 1})])
    assert await caller.ask("GET", "/crm/v2/x", Urgency.PERSON) == {"data": 1}
    assert crm.asked[2].headers["Authorization"] == "Bearer a2"
    crm.script.extend([answer(401), answer(body=renewed), answer(401)])
    with pytest.raises(RemoteRefusedError, match="RD Station Marketing"):
        await caller.ask("GET", "/crm/v2/x", Urgency.PERSON)


@pytest.mark.parametrize("failure", [TransientFailure("no connection"), UnknownOutcome("no answer")])
async def test_no_failure_tells_the_token(caller: Caller, crm: Crm, failure: DeliveryFailure) -> None:
    crm.script.extend([failure] * 4)
    with pytest.raises(RemoteUnavailableError) as caught:
        await caller.ask("GET", "/x", Urgency.PERSON)
    assert "t0ken" not in repr(caught.value)


def test_lists_and_objects_may_stand_alone_or_under_a_name() -> None:
    assert items([{"a": 1}, 2], "deals") == [{"a": 1}]
    assert items({"deals": [{"a": 1}]}, "deals") == [{"a": 1}]
    assert items({"deals": None}, "deals") == ()
    assert items("x", "deals") == ()
    assert whole({"data": {"a": 1}}, "data") == {"a": 1}
    assert whole({"a": 1}, "data") == {"a": 1}
    assert whole([1], "data") == {}
