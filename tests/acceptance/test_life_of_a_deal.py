"""From real webhooks to what a sales team reads, through the real daemon."""

import asyncio

from tests.support.daemon import Daemon
from tests.support.deals import SAMPLES, Deal, again, sample
from tests.support.sink import Sink

LOSSES = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  team: {type: http, url: "{sink}/team"}
routes:
  - name: losses
    on: deal.lost
    deliver:
      - to: team
        body: {text: "{{ deal.name }}: {{ deal.deal_lost_reason.name }}", total: "{{ deal.amount_total }}"}
"""

EVERYTHING = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  copy: {type: http, url: "{sink}/copy"}
routes:
  - name: everything
    on: crm_*
    deliver:
      - {to: copy, body: {name: "{{ event.name }}", document: "{{ document }}"}}
"""

SLACK = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  sales: {type: slack, token: xoxb-test, channel: C0123SALES, api_url: "{sink}/api"}
routes:
  - name: losses
    on: [deal.lost, deal.reopened]
    deliver:
      - {to: sales, text: "*{{ deal.name }}* {{ deal.status }}", thread: deal}
"""


async def test_every_official_sample_arrives_unharmed(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(EVERYTHING)
    names = [path.stem for path in SAMPLES.glob("*.json")]
    order = ("created", "updated", "deleted")  # several samples are of one entity's life
    samples = {name: sample(name) for name in sorted(names, key=lambda name: order.index(name.rpartition("_")[2]))}
    assert len(samples) == 23
    for body in samples.values():
        status, answer = await daemon.post(body)
        assert (status, answer["status"]) == (200, "stored")
    await daemon.settle()
    arrived = {got.body["name"]: got.body["document"] for got in sink.got}
    assert {name: body["document"] for name, body in samples.items()} == arrived


async def test_a_deal_lost_twice_is_told_twice_and_edits_after_a_loss_are_not(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(LOSSES)
    deal = Deal(name="Padaria Pão Quente")
    life = [deal.created(), deal.moved("Proposta", 3), deal.lost(), deal.updated(rating=5), deal.updated(name="Pão")]
    life += [deal.reopened(), deal.updated(rating=2), deal.lost()]
    for webhook in life:
        assert (await daemon.post(webhook))[0] == 200
    await daemon.settle()
    assert sink.texts == ["Padaria Pão Quente: Preço", "Pão: Preço"]
    assert [got.body["total"] for got in sink.got] == [11050.5, 11050.5]


async def test_one_loss_under_three_uuids_at_once_is_told_once(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(LOSSES)
    deal = Deal()
    await daemon.post(deal.created())
    loss = deal.lost()
    answers = await asyncio.gather(*(daemon.post(body) for body in (loss, again(loss), again(loss))))
    assert [status for status, _ in answers] == [200, 200, 200]
    await daemon.settle()
    assert len(sink.texts) == 1
    states = [event["state"] for event in (await daemon.ask("/api/events"))["events"]]
    assert sorted(states) == ["duplicate", "duplicate", "routed", "unmatched"]


async def test_the_same_webhook_tried_again_is_one_event(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(LOSSES)
    loss = Deal().lost()
    (_, first), (_, second) = await asyncio.gather(daemon.post(loss), daemon.post(loss))
    assert first["event_id"] == second["event_id"]
    assert {first["status"], second["status"]} == {"stored", "duplicate"}
    await daemon.settle()
    assert len(sink.texts) == 1


async def test_an_older_update_that_comes_late_changes_nothing(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(LOSSES)
    deal = Deal()
    created, older = deal.created(), deal.updated(rating=3)
    for webhook in (created, deal.lost(), older, deal.updated(rating=4)):
        await daemon.post(webhook)
    await daemon.settle()
    assert len(sink.texts) == 1, "had the late one reopened the deal, the next edit would have been a second loss"
    assert [event["state"] for event in (await daemon.ask("/api/events"))["events"]].count("stale") == 1


async def test_a_first_sight_of_an_old_loss_is_silent_and_of_a_fresh_one_speaks(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(LOSSES)
    await daemon.post(Deal("old", "Antiga").lost(closed_at="2025-01-10T10:00:00.000-03:00"))
    await daemon.post(Deal("new", "Recente").lost())
    await daemon.settle()
    assert sink.texts == ["Recente: Preço"]


async def test_a_hostile_deal_name_is_inert_in_slack(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(SLACK)
    await daemon.post(Deal(name="<!channel> & <b>").lost())
    await daemon.settle()
    assert sink.got[0].path == "/api/chat.postMessage"
    assert sink.texts == ["*&lt;!channel&gt; &amp; &lt;b&gt;* lost"]


async def test_later_messages_of_a_deal_reply_in_its_thread(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(SLACK)
    deal, other = Deal("a"), Deal("b")
    for webhook in (deal.lost(), deal.reopened(), deal.lost(), other.lost()):
        await daemon.post(webhook)
    await daemon.settle()
    threads = [got.body.get("thread_ts") for got in sink.got if "Loja" in got.body["text"]]
    assert len(threads) == 4
    assert sum(thread is None for thread in threads) == 2, "one opening message for each deal"
    assert len({thread for thread in threads if thread}) == 1


async def test_a_deletion_is_told_with_what_was_last_known(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(
        LOSSES.replace("deal.lost", "deal.deleted").replace("{{ deal.deal_lost_reason.name }}", "excluída")
    )
    deal = Deal()
    await daemon.post(deal.created())
    await daemon.post(deal.deleted())
    await daemon.settle()
    assert [got.body for got in sink.got] == [{"text": "Loja Ação: excluída", "total": 11050.5}]


async def test_what_cannot_be_understood_is_kept_and_answered_200(daemon: Daemon) -> None:
    await daemon.start(LOSSES)
    bodies = [b"{", b"[]", b'{"event_type": "WEBHOOK.CONVERTED", "contact": {}}', b'{"event_name": "crm_moon_landed"}']
    answers = [await daemon.post(body) for body in bodies]
    assert [(status, answer["status"]) for status, answer in answers] == [(200, "quarantined")] * len(bodies)
    events = (await daemon.ask("/api/events?state=quarantined"))["events"]
    assert any("Marketing" in event["reason"] for event in events)
    assert len(events) == len(bodies)
