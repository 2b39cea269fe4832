"""What holds a target outlives a kill; and what is under way when a target changes ends with the one it began with."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from tests.support.daemon import Daemon
from tests.support.deals import Deal
from tests.support.sink import Got, Reply, Sink

NEWS = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  team: {type: http, url: "{sink}/team", OPTIONS}
routes:
  - name: news
    on: [deal.lost, deal.reopened]
    deliver: [{to: team, body: {text: "{{ deal.id }} {{ deal.status }} {{ deal.name }}"}}]
"""


def news(options: str = "concurrency: 4") -> str:
    return NEWS.replace("OPTIONS", options)


def is_(state: str, **waiting: int) -> Callable[[Any], bool]:
    """Tell whether a target is in a state, and how much waits for it."""
    return lambda told: told["state"] == state and all(told["deliveries"][name] == n for name, n in waiting.items())


async def lose_and_reopen(daemon: Daemon, *deals: str) -> None:
    """Post two losses of each deal and the reopening between them."""
    for deal in (Deal(id_) for id_ in deals):
        for turn, change in enumerate((deal.lost, deal.reopened, deal.lost)):
            await daemon.post(change() | {"document": deal.document | {"name": str(turn)}})


def check_once_and_in_order(got: list[Got], deals: int) -> None:
    """Hold what was accepted to being all there is of ``lose_and_reopen``, each once, in order per deal."""
    turns = defaultdict(list)
    for each in got:
        deal, _, turn = each.body["text"].split(" ")
        turns[deal].append(turn)
    assert list(turns.values()) == [["0", "1", "2"]] * deals
    assert len({each.id for each in got}) == 3 * deals


async def test_a_refusal_is_remembered_over_a_kill(daemon: Daemon, sink: Sink) -> None:
    sink.status = 403
    await daemon.start(news())
    await daemon.post(Deal("a").lost())
    await daemon.until(is_("paused"))
    await daemon.kill()
    sink.status = 200
    await daemon.start()
    await daemon.until(lambda told: is_("paused", parked=1)(told) and told["paused_by"] == "bridge")
    assert len(sink.got) == 1
    assert (await daemon.bridge("resume", "team"))[0] == 0
    await daemon.settle()
    assert len(sink.accepted) == 1
    told = [event["name"] for event in (await daemon.ask("/api/events?source=bridge"))["events"]]
    assert told.count("bridge.target_paused") == 1, "before the kill, or after it"


async def test_an_open_breaker_outlives_a_kill_sends_one_probe_after_its_rest_and_closes(
    daemon: Daemon, sink: Sink
) -> None:
    sink.status = 503
    sink.hold()
    await daemon.start(news("concurrency: 4, retry: {first: 1ms, max: 1ms}, breaker: {least: 3, rest: 2s}"))
    await lose_and_reopen(daemon, "a", "b", "c", "d")
    sink.release()
    await daemon.until(is_("open", parked=12))
    refused = len(sink.got)
    await daemon.kill()
    sink.status = 200
    sink.hold()
    await daemon.start()
    await sink.reached(refused + 1)
    await daemon.until(is_("half_open"))
    assert len(sink.got) == refused + 1, "until the probe is answered it goes alone"
    assert sink.got[refused].at - sink.got[refused - 1].at >= 2, "the rest is kept"
    sink.release()
    await daemon.settle()
    await daemon.until(is_("ready", parked=0))
    check_once_and_in_order(sink.accepted, 4)


async def test_a_service_that_asks_for_time_gets_it_from_all_deliveries_and_over_a_kill(
    daemon: Daemon, sink: Sink
) -> None:
    sink.judge = lambda _: Reply(429, {"Retry-After": "3"})
    await daemon.start(news())
    await daemon.post(Deal("first").lost())
    await daemon.until(is_("waiting"))
    sink.judge = None
    await daemon.kill()
    await daemon.start()
    await lose_and_reopen(daemon, "a", "b")
    await daemon.settle()
    asked, *others = (got.at for got in sink.got)
    assert min(others) - asked >= 3
    assert len(others) == 7
    check_once_and_in_order([got for got in sink.accepted if not got.body["text"].startswith("first")], 2)
    assert {each["failures"] for each in (await daemon.ask("/api/deliveries"))["deliveries"]} == {0}


async def test_what_is_under_way_to_a_changed_target_ends_with_the_one_it_began_with(
    daemon: Daemon, sink: Sink
) -> None:
    await daemon.start(news("concurrency: 1"))
    sink.hold()
    await daemon.post(Deal("a").lost())
    await sink.reached(1)
    await reload(daemon, news("concurrency: 2").replace("/team", "/moved"))
    await daemon.post(Deal("b").lost())
    await sink.reached(2)
    sink.release()
    await daemon.settle()
    assert [(got.path, got.body["text"].split()[0]) for got in sink.accepted] == [("/team", "a"), ("/moved", "b")]


async def reload(daemon: Daemon, rules: str) -> None:
    daemon.write_rules(rules)
    code, _, err = await daemon.bridge("reload")
    assert code == 0, err
