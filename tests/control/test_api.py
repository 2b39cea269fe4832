from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from bridge.control.operations import Operations
from bridge.errors import BridgeError, StoreUnavailableError
from bridge.model import EventState
from bridge.options import InvalidConfigurationError, Place, Problem
from tests.contracts.store_steps import an_event
from tests.support.control import serving
from tests.support.deals import Deal
from tests.support.shop import Shop

PROBLEM = Problem(Place("routes.yaml", 8, 9), "unknown-event", "there is no event")


@pytest.fixture
async def session(shop: Shop) -> AsyncIterator[aiohttp.ClientSession]:
    """A connection to the socket."""
    async with serving(shop.operations, shop.folder / "data"):
        connector = aiohttp.UnixConnector(str(shop.folder / "data/bridge.sock"))
        async with aiohttp.ClientSession("http://bridge", connector=connector) as session:
            yield session


async def ask(session: aiohttp.ClientSession, path: str, body: Any = None) -> tuple[int, Any]:
    method = "GET" if body is None else "POST"
    data = {"data": body} if isinstance(body, bytes) else {"json": body}
    async with session.request(method, path, **data) as answer:
        assert answer.content_type == "application/json"
        return answer.status, await answer.json()


async def test_lists_take_filters_from_the_query(shop: Shop, session: aiohttp.ClientSession) -> None:
    deal = Deal()
    _, lost = await shop.receive(deal.created(), deal.lost())
    status, answer = await ask(session, "/api/events?state=routed&state=stale&limit=10&entity=deal:6650f1")
    assert status == 200
    assert [event["id"] for event in answer["events"]] == [lost.id]
    status, answer = await ask(session, f"/api/deliveries?event={lost.id}&target=billing")
    assert [each["target"] for each in answer["deliveries"]] == ["billing"]


@pytest.mark.parametrize(
    ("path", "code", "status"),
    [
        ("/api/events/none", "unknown-id", 404),
        ("/api/deliveries/none", "unknown-id", 404),
        ("/api/states/crm/deal/none", "unknown-id", 404),
        ("/api/events?state=lost", "bad-filter", 422),
        ("/api/deliveries?sauce=x", "bad-filter", 422),
        ("/api/deliveries?target=a&target=b", "bad-filter", 422),
    ],
)
async def test_a_refusal_is_json_with_a_code(session: aiohttp.ClientSession, path: str, code: str, status: int) -> None:
    got, answer = await ask(session, path)
    assert (got, answer["error"]["code"]) == (status, code)
    assert answer["error"]["message"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/retry", b"{"),
        ("/api/retry", []),
        ("/api/retry", {}),
        ("/api/retry", {"ids": "dlv_1"}),
        ("/api/retry", {"ids": [1]}),
        ("/api/retry", {"filter": {"state": "dead"}}),
        ("/api/retry", {"ids": [], "agian": True}),
        ("/api/retry", {"ids": [], "limit": 0}),
        ("/api/retry", {"ids": [], "limit": True}),
        ("/api/retry", {"ids": [], "limit": "5"}),
        ("/api/retry", {"ids": [], "rate": "quick"}),
        ("/api/retry", {"ids": [], "rate": 5}),
        ("/api/discard", {"ids": []}),
        ("/api/discard", {"ids": [], "reason": " "}),
        ("/api/replay", {"filter": {"state": ["dead"]}}),
        ("/api/replay", {"ids": [], "route": 5}),
        ("/api/replay", {"ids": [], "route": "none"}),
        ("/api/pause", {}),
        ("/api/pause", {"target": "sales", "reason": ["x"]}),
        ("/api/pause", {"target": "none"}),
        ("/api/resume", {"target": ["sales"]}),
        ("/api/resume", {"target": "none"}),
        ("/api/explain", {"source": "crm"}),
        ("/api/explain", {"body": {}, "source": "none"}),
    ],
)
async def test_a_body_that_asks_for_nothing_is_refused(session: aiohttp.ClientSession, path: str, body: Any) -> None:
    status, answer = await ask(session, path, body)
    assert status == 422
    assert answer["error"]["message"]


async def test_what_is_posted_sets_things_going(shop: Shop, session: aiohttp.ClientSession) -> None:
    (lost,) = await shop.receive(Deal().lost())
    status, answer = await ask(session, "/api/replay", {"ids": [lost.id], "again": True})
    assert (status, len(answer["events"][0]["added"])) == (200, 2)
    status, answer = await ask(session, "/api/retry", {"filter": {"state": ["pending"]}, "dry_run": True})
    assert (status, len(answer["retried"])) == (200, 4)
    status, answer = await ask(session, "/api/explain", {"event": lost.id})
    assert (status, answer["state"]) == (200, "routed")
    asked = {"filter": {"target": ["sales"]}, "reason": "x", "limit": 1}
    status, answer = await ask(session, "/api/discard", asked)
    assert (status, len(answer["discarded"]), answer["left"]) == (200, 1, 1)
    status, answer = await ask(session, "/api/pause", {"target": "sales"})
    assert (status, answer["target"]["state"]) == (200, "paused")
    status, answer = await ask(session, "/api/resume", {"target": "sales"})
    assert (status, answer["target"]["state"]) == (200, "ready")
    status, answer = await ask(session, "/api/targets")
    assert (status, [each["name"] for each in answer["targets"]]) == (200, ["sales", "billing"])


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidConfigurationError([PROBLEM]), 422, "invalid-configuration"),
        (StoreUnavailableError("the disk is full"), 503, "store-unavailable"),
        (BridgeError("something else"), 500, "failed"),
    ],
)
async def test_every_error_of_ours_has_a_status_that_fits(
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    error: BridgeError,
    status: int,
    code: str,
) -> None:
    async def fail(_: Operations) -> None:
        raise error

    monkeypatch.setattr(Operations, "reload", fail)
    got, answer = await ask(session, "/api/reload", {})
    assert (got, answer["error"]["code"], answer["error"]["message"]) == (status, code, str(error))
    assert answer["error"].get("problems", []) == ([str(PROBLEM)] if code == "invalid-configuration" else [])


async def test_without_a_reload_there_is_a_conflict(session: aiohttp.ClientSession) -> None:
    status, answer = await ask(session, "/api/reload", {})
    assert (status, answer["error"]["code"]) == (409, "no-daemon")


async def test_a_body_that_is_nested_too_deeply_to_be_written_is_shown_as_the_text_that_it_is(
    shop: Shop, session: aiohttp.ClientSession
) -> None:
    deep = "[" * 300 + "]" * 300
    received = replace(an_event(shop.clock), source="crm", body=deep.encode(), state=EventState.QUARANTINED)
    await shop.store.add(received)
    async with session.get(f"/api/events/{received.id}") as answer:
        assert (answer.status, (await answer.json())["body"]) == (200, deep)
    async with session.post("/api/explain", data=f'{{"body": {deep}}}') as answer:
        assert (answer.status, (await answer.json())["error"]["message"]) == (422, "the body is nested too deeply")
