import inspect
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from bridge.control.amount import Amount, Manner
from bridge.control.client import DaemonClient
from bridge.control.operations import Operations
from bridge.errors import DaemonUnreachableError, RequestRefusedError
from bridge.model import DeliveryState, Entity, Outcome, Rate
from bridge.ruleset import Ruleset
from bridge.store.nouns import DeliveryQuery, EventQuery
from tests.support.control import serving
from tests.support.deals import Deal
from tests.support.shop import Shop


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[DaemonClient]:
    """A client of a daemon."""
    async with serving(shop.operations, shop.folder / "data"), DaemonClient(shop.folder / "data") as client:
        yield client


def test_the_client_has_the_methods_of_the_operations() -> None:
    def methods(of: type) -> dict[str, inspect.Signature]:
        named = inspect.getmembers(of, inspect.isfunction)
        return {name: inspect.signature(method) for name, method in named if not name.startswith("_")}

    assert methods(DaemonClient) == methods(Operations)


async def test_the_client_gives_the_answers_of_the_operations(shop: Shop, client: DaemonClient) -> None:
    deal = Deal("a/ç?:%2F")
    _, lost = await shop.receive(deal.created(), deal.lost())
    sales, _ = await shop.deliveries(lost)
    here, entity = shop.operations, Entity("deal", "a/ç?:%2F")
    events = EventQuery(entity=entity, since=shop.clock.now().replace(year=2020), limit=7)
    deliveries = DeliveryQuery(states=(DeliveryState.PENDING,), route="losses")
    assert await client.events(events) == await here.events(events)
    assert await client.event(lost.id) == await here.event(lost.id)
    assert await client.deliveries(deliveries) == await here.deliveries(deliveries)
    assert await client.delivery(sales.id) == await here.delivery(sales.id)
    assert await client.state("crm", entity) == await here.state("crm", entity)
    assert await client.explain(lost.id) == await here.explain(lost.id)
    assert await client.sources() == await here.sources()
    assert await client.status() == await here.status()


async def test_the_client_acts_by_ids_and_by_filters(shop: Shop, client: DaemonClient) -> None:
    (lost,) = await shop.receive(Deal().lost())
    await shop.attempt("sales", Outcome.PERMANENT, DeliveryState.DEAD, "refused")
    dead = (await shop.deliveries(lost))[0].id
    query = DeliveryQuery(states=(DeliveryState.DEAD,), target="sales")
    assert (await client.retry(query, dry_run=True))["retried"] == [dead]
    assert (await client.retry([dead]))["retried"] == [dead]
    assert len((await client.replay([lost.id], Manner(again=True)))["events"][0]["added"]) == 2
    assert (await client.replay(EventQuery(name="none")))["events"] == []
    assert (await client.discard(query, "told by phone"))["discarded"] == []
    assert (await client.discard([dead], "told by phone"))["discarded"] == [dead]


async def test_amount_and_manner_arrive_as_they_were_given(
    client: DaemonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def note(_: Operations, *arguments: object, **named: object) -> dict[str, object]:
        asked.append((*arguments, named))
        return {}

    for name in ("retry", "discard", "replay"):
        monkeypatch.setattr(Operations, name, note)
    amount = Amount(limit=7, rate=Rate(10, 30 * 86_400))
    manner = Manner(route="losses", as_planned=True)
    await client.retry(["a"], amount)
    await client.discard(["a"], "told by phone", amount, dry_run=True)
    await client.replay(["a"], manner, amount)
    await client.replay(["a"])
    assert asked == [
        (["a"], amount, {"dry_run": False}),
        (["a"], "told by phone", amount, {"dry_run": True}),
        (["a"], manner, amount, {"dry_run": False}),
        (["a"], Manner(), Amount(), {"dry_run": False}),
    ]


async def test_the_client_pauses_and_resumes(shop: Shop, client: DaemonClient) -> None:
    paused = await client.pause("sales", "the service moves")
    assert (paused["changed"], paused["target"]["reason"]) == (True, "the service moves")
    assert await client.targets() == await shop.operations.targets()
    assert (await client.resume("sales"))["changed"]
    assert (await client.pause("sales"))["target"]["reason"] == "no reason was given"


async def test_the_client_explains_a_body_after_another(client: DaemonClient) -> None:
    deal = Deal()
    before, lost = deal.created(), deal.lost(closed_at=None)
    assert (await client.explain_body(lost, "crm"))["state"] == "unmatched"
    assert (await client.explain_body(lost, "crm", before))["state"] == "routed"


async def test_a_refusal_comes_with_its_reason_and_code(client: DaemonClient) -> None:
    with pytest.raises(RequestRefusedError, match='there is no event "none"') as refusal:
        await client.event("none")
    assert refusal.value.code == "unknown-id"


async def test_a_reload_comes_with_the_new_revision(shop: Shop) -> None:
    async def reload() -> Ruleset:
        return shop.rules

    operations = Operations(shop.store, replace(shop.host, reload=reload), shop.clock)
    async with serving(operations, shop.folder / "data"), DaemonClient(shop.folder / "data") as client:
        assert (await client.reload())["revision"] == shop.rules.revision


async def test_no_socket_is_no_daemon(tmp_path: Path) -> None:
    async with DaemonClient(tmp_path) as client:
        with pytest.raises(DaemonUnreachableError, match=r"no daemon answers on .*bridge\.sock"):
            await client.status()


async def test_a_socket_that_a_killed_daemon_left_is_no_daemon(shop: Shop) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(shop.folder / "data/bridge.sock"))
    async with DaemonClient(shop.folder / "data") as client:
        with pytest.raises(DaemonUnreachableError):
            await client.status()


async def answering(data: Path, handler: object) -> web.AppRunner:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)  # type: ignore[arg-type]  # the tests' own handlers
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, str(data / "bridge.sock")).start()
    return runner


@pytest.mark.parametrize(("status", "hint"), [(500, "its log says why"), (404, "another version")])
async def test_an_answer_that_is_none_of_ours_is_told_by_its_status(tmp_path: Path, status: int, hint: str) -> None:
    async def strange(_: web.Request) -> web.Response:
        return web.Response(status=status, text="Oops")

    runner = await answering(tmp_path, strange)
    async with DaemonClient(tmp_path) as client:
        with pytest.raises(RequestRefusedError, match=f"{status}; .*{hint}"):
            await client.status()
    await runner.cleanup()


async def test_a_daemon_that_hangs_up_is_unreachable(tmp_path: Path) -> None:
    async def hang_up(request: web.Request) -> web.Response:
        assert request.transport
        request.transport.abort()
        return web.Response()

    runner = await answering(tmp_path, hang_up)
    async with DaemonClient(tmp_path) as client:
        with pytest.raises(DaemonUnreachableError):
            await client.status()
    await runner.cleanup()
