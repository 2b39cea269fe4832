"""What survives: kills, stops, reloads, and services that fail."""

import asyncio
import signal
from collections import Counter
from typing import Any

import aiohttp

from tests.acceptance.test_life_of_a_deal import LOSSES
from tests.support.daemon import Daemon
from tests.support.deals import Deal
from tests.support.sink import Sink


async def _post_until_killed(daemon: Daemon, bodies: list[dict[str, Any]], acknowledged: dict[str, str]) -> None:
    """Post one after another over one connection, noting each event that was answered 2xx."""
    async with aiohttp.ClientSession() as session:
        for body in bodies:
            try:
                async with session.post(daemon.hook, json=body) as answer:
                    if answer.status < 300:
                        acknowledged[(await answer.json())["event_id"]] = body["document"]["name"]
            except aiohttp.ClientError:
                return


async def test_every_event_answered_before_a_kill_is_delivered_after_it(daemon: Daemon, sink: Sink) -> None:
    acknowledged: dict[str, str] = {}
    bodies = [[Deal(f"{c}-{n}", f"Negócio {c}-{n}").lost() for n in range(100)] for c in range(8)]
    await daemon.start(LOSSES)
    load = asyncio.gather(*(_post_until_killed(daemon, each, acknowledged) for each in bodies))
    await sink.reached(40)
    await daemon.kill()
    await load
    assert acknowledged, "the kill came before anything was acknowledged: it proves nothing"
    await daemon.start()
    await daemon.settle(60)
    events = (await daemon.ask("/api/events?limit=1000"))["events"]
    assert acknowledged.keys() <= {event["id"] for event in events}
    delivered = Counter(sink.texts)
    assert {f"{name}: Preço" for name in acknowledged.values()} <= delivered.keys()
    repeated = sum(delivered.values()) - len(delivered)
    assert repeated <= 8, (
        "only what was sent and not recorded at the kill may come twice: twice the concurrency at most"
    )


async def test_a_stop_finishes_what_is_on_its_way(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(LOSSES)
    sink.hold()
    await daemon.post(Deal().lost())
    await sink.reached(1)
    daemon.signal(signal.SIGTERM)
    await asyncio.sleep(0.3)
    sink.release()
    assert await daemon.ended() == 0
    await daemon.start()
    await daemon.settle()
    assert len(sink.got) == 1, "a delivery that was drained is not made again"
    assert {delivery["state"] for delivery in (await daemon.ask("/api/deliveries"))["deliveries"]} == {"delivered"}


async def test_a_service_that_recovers_gets_what_it_missed(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(LOSSES)
    sink.status = 503
    await daemon.post(Deal().lost())
    await sink.reached(1)
    sink.status = 200
    await daemon.settle(30)
    assert len(sink.got) >= 2
    assert len({got.headers["Idempotency-Key"] for got in sink.got}) == 1


async def test_a_daemon_is_ready_with_dead_letters_and_does_not_count_them_as_waiting(
    daemon: Daemon, sink: Sink
) -> None:
    await daemon.start(LOSSES)
    sink.status = 400
    await daemon.post(Deal().lost())
    await sink.reached(1)
    await _until(daemon, lambda status: status["backlog"]["deliveries"] == {"team/dead": 1})
    async with asyncio.timeout(10):
        while not (ready := await daemon.ask("/readyz"))["deliveries_dead"]:
            await asyncio.sleep(0.05)  # it is counted once a second
    assert (ready["ready"], ready["deliveries_waiting"], ready["deliveries_dead"]) == (True, 0, 1)


async def test_a_saved_change_of_the_rules_is_picked_up_and_a_broken_one_refused(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(LOSSES)
    before = (await daemon.ask("/api/status"))["revision"]
    daemon.write_rules(LOSSES.replace("deal.deal_lost_reason.name", "deal.user.name"))
    await _until(daemon, lambda status: status["revision"] != before)
    running = (await daemon.ask("/api/status"))["revision"]
    daemon.write_rules(LOSSES.replace("deal.lost", "deal.lots"))
    await _until(daemon, lambda status: status["problems"])
    status = await daemon.ask("/api/status")
    assert status["revision"] == running
    assert "routes.yaml:8:9: unknown-event" in status["problems"][0]
    await daemon.post(Deal().lost())
    await daemon.settle()
    assert sink.texts == ["Loja Ação: Hian Almada"]


async def test_hangup_reloads_what_has_not_changed(daemon: Daemon) -> None:
    await daemon.start(LOSSES)
    daemon.signal(signal.SIGHUP)
    async with asyncio.timeout(15):
        while daemon.log.count('"rules loaded"') < 2:
            await asyncio.sleep(0.02)
    assert (await daemon.ask("/api/status"))["problems"] == []


async def test_deliveries_of_a_removed_target_wait_for_its_return(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(LOSSES)
    sink.status = 503
    await daemon.post(Deal().lost())
    await sink.reached(1)
    renamed = LOSSES.replace("team:", "other:").replace("to: team", "to: other")
    daemon.write_rules(renamed)
    await _until(daemon, lambda status: any(key.endswith("/parked") for key in status["backlog"]["deliveries"]))
    sink.status = 200
    daemon.write_rules(LOSSES)
    await _until(daemon, lambda status: not any("parked" in key for key in status["backlog"]["deliveries"]))
    await daemon.settle(30)
    assert {delivery["state"] for delivery in (await daemon.ask("/api/deliveries"))["deliveries"]} == {"delivered"}


async def test_a_second_daemon_on_the_same_data_is_refused(daemon: Daemon) -> None:
    await daemon.start(LOSSES)
    code, _, err = await daemon.bridge("run", "--listen", "127.0.0.1:0")
    assert code == 1
    assert "is in use by process" in err
    assert "Traceback" not in err


async def test_the_secret_of_the_address_is_in_no_log(daemon: Daemon) -> None:
    await daemon.start(LOSSES)
    secret = daemon.hook.rpartition("/")[2]
    await daemon.post(Deal().lost())
    async with aiohttp.ClientSession() as session:
        for path in (f"/hooks/crm/{secret}x", f"/hooks/none/{secret}", f"/hooks/crm/{secret}"):
            await (await session.get(daemon.base + path)).release()
        metrics = await (await session.get(daemon.base + "/metrics")).text()
    await daemon.stop()
    assert daemon.log
    assert secret not in daemon.log
    assert secret not in metrics


async def _until(daemon: Daemon, holds: Any, seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not holds(await daemon.ask("/api/status")):
            await asyncio.sleep(0.05)
