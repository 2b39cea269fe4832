"""Targets that are refused, failing, too fast or taken away, with the real daemon: what waits for them, and goes on."""

import asyncio
from typing import Any

from tests.support.daemon import Daemon
from tests.support.deals import Deal
from tests.support.sink import Got, Reply, Sink

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  team: {type: http, url: "{sink}/team"}
routes:
  - name: news
    on: [deal.lost, deal.reopened]
    deliver:
      - {to: team, body: {deal: "{{ deal.id }}", status: "{{ deal.status }}"}}
"""
OPTIONS = 'url: "{sink}/team"'
NARROW = "the clocks of two processes, and the way between them"


def with_options(options: str) -> str:
    """Return the rules, and more options for the target."""
    return RULES.replace(OPTIONS, f"{OPTIONS}, {options}")


def history(deal: Deal, count: int) -> list[dict[str, Any]]:
    """Return losses and reopenings in turns."""
    return [deal.lost() if number % 2 == 0 else deal.reopened() for number in range(count)]


async def post(daemon: Daemon, *bodies: dict[str, Any]) -> None:
    for body in bodies:
        assert (await daemon.post(body))[0] == 200


async def test_refused_access_pauses_a_target_and_its_queue_leaves_in_order_after_resume(
    daemon: Daemon, sink: Sink
) -> None:
    locked = True
    sink.judge = lambda _: Reply(401 if locked else 200)
    await daemon.start(RULES)
    changes = history(Deal(), 6)
    await post(daemon, changes[0])
    await daemon.until(lambda target: target["state"] == "paused")
    await post(daemon, *changes[1:])
    await daemon.until(lambda target: target["deliveries"]["parked"] == 6)
    assert len(sink.got) == 1, "nothing is sent to a paused target"
    locked = False
    code, out, _ = await daemon.bridge("resume", "team")
    assert (code, "team  ready" in out) == (0, True)
    await daemon.settle()
    assert [got.body["status"] for got in sink.accepted] == ["lost", "ongoing"] * 3
    assert max(sink.ids("/team").values()) == 2, "the refused one went again, as the same delivery"


async def test_a_failing_service_is_left_alone_and_taken_up_when_it_is_back(daemon: Daemon, sink: Sink) -> None:
    mended = False
    sink.judge = lambda _: Reply(200 if mended else 500)
    await daemon.start(with_options("breaker: {least: 3, rest: 1s, longest_rest: 1s}, retry: {first: 10ms, max: 10ms}"))
    await post(daemon, *(Deal(f"deal-{number}").lost() for number in range(4)))
    await daemon.until(lambda target: target["state"] == "open")
    came = len(sink.got)
    await sink.reached(came + 1)
    probe = sink.got[came]
    assert probe.at - sink.got[came - 1].at > 0.8, f"it was given its rest, less {NARROW}"
    mended = True
    await daemon.until(lambda target: target["state"] == "ready")
    await daemon.settle()
    assert len({got.id for got in sink.accepted}) == 4


async def test_a_service_that_asks_for_time_gets_it_from_every_delivery(daemon: Daemon, sink: Sink) -> None:
    def judge(_: Got) -> Reply:
        return Reply() if sink.got else Reply(429, {"Retry-After": "2"})

    sink.judge = judge
    await daemon.start(RULES)
    await post(daemon, Deal("first").lost())
    await daemon.until(lambda target: target["state"] == "waiting")
    await post(daemon, *(Deal(f"other-{number}").lost() for number in range(5)))
    await daemon.settle()
    refused, *others = sink.got
    assert len(others) == 6
    assert min(got.at for got in others) - refused.at > 1.8, f"two seconds, less {NARROW}"


async def test_no_more_leave_in_a_time_than_the_rate_allows(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(with_options("rate: 10/s"))
    await post(daemon, *(Deal(f"deal-{number}").lost() for number in range(25)))
    await daemon.settle()
    times = [got.at for got in sink.got]
    assert len(times) == 25
    windows = [sum(begin <= other < begin + 0.9 for other in times) for begin in times]
    assert max(windows) <= 10, f"ten a second, less {NARROW}"


async def test_a_bulk_of_one_route_does_not_hold_up_an_alert_of_another(daemon: Daemon, sink: Sink) -> None:
    alert = '  - name: alerts\n    on: deal.deleted\n    deliver: [{to: team, body: {alert: "{{ deal.name }}"}}]\n'
    await daemon.start(with_options("rate: 20/s") + alert)
    urgent = Deal("urgent")
    await post(daemon, urgent.created())
    await asyncio.gather(*(post(daemon, Deal(f"bulk-{number}").lost()) for number in range(200)))
    await daemon.until(lambda target: sum(target["deliveries"].values()) + len(sink.got) >= 200)
    before = len(sink.got)
    assert before < 100, "the bulk has left already: it proves nothing"
    await post(daemon, urgent.deleted())
    async with asyncio.timeout(15):
        while not (alerts := [place for place, got in enumerate(sink.got) if "alert" in got.body]):
            await sink.reached(len(sink.got) + 1)
    assert alerts[0] - before < 20, "no more of the bulk left before it than a second has room for"


async def test_a_pause_outlives_a_kill(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(RULES)
    assert (await daemon.bridge("pause", "team", "--reason", "it moves house"))[0] == 0
    await post(daemon, *history(Deal(), 2))
    await daemon.until(lambda target: target["deliveries"]["parked"] == 2)
    await daemon.kill()
    await daemon.start()
    await post(daemon, Deal("another").lost())
    await daemon.until(lambda target: target["deliveries"]["parked"] == 3)
    paused = await daemon.target()
    assert (paused["state"], paused["paused_by"], paused["reason"]) == ("paused", "person", "it moves house")
    assert not sink.got
    assert (await daemon.bridge("resume", "team"))[0] == 0
    await daemon.settle()
    assert len(sink.accepted) == 3


async def test_a_target_goes_changes_and_comes_back_while_work_is_under_way(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(RULES)
    sink.hold()
    lost, reopened = history(Deal(), 2)
    await post(daemon, lost, reopened)
    await sink.reached(1)
    await daemon.until(lambda target: sum(target["deliveries"].values()) == 2)  # else the second goes by the new rules
    daemon.write_rules(RULES.replace("team:", "other:").replace("to: team", "to: other"))
    await daemon.tell("/api/reload")
    await daemon.until(lambda target: target["state"] == "gone" and target["deliveries"]["parked"] == 1)
    sink.release()
    await daemon.until(lambda target: target["deliveries"]["delivering"] == 0)
    assert [got.body["status"] for got in sink.got] == ["lost"], "what was under way has ended, and nothing followed"
    daemon.write_rules(RULES.replace("{sink}/team", "{sink}/moved"))
    await daemon.tell("/api/reload")
    await sink.reached(2)
    await daemon.settle()
    assert [(got.path, got.body["status"]) for got in sink.got] == [("/team", "lost"), ("/moved", "ongoing")]
