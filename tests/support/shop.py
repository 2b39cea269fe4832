"""A store with rules over it, and the small things one does to them: receive, route, try."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from bridge import config
from bridge.control.host import Host
from bridge.control.operations import Operations
from bridge.model import Attempt, Delivery, DeliveryState, Event, Limits, Link, Outcome, new_id
from bridge.routing.router import in_order
from bridge.ruleset import Ruleset
from bridge.store.base import Store
from bridge.store.nouns import DeliveryQuery, Settlement
from tests.support.clock import ManualClock
from tests.support.deals import Deal

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm, secrets: [s3cret-of-the-source]}
targets:
  sales: {type: log}
  billing: {type: http, url: "https://billing.example.com/in", auth: {bearer: t0ken-of-the-target}}
routes:
  - name: losses
    on: deal.lost
    match: {amount_total: {gte: 5000}}
    deliver:
      - {to: sales, text: "{{ deal.name }} lost: {{ deal.deal_lost_reason.name }}"}
      - {to: billing, body: {name: "{{ deal.name }}", total: "{{ deal.amount_total }}"}}
  - name: people
    on: contact.created
    deliver:
      - {to: sales, text: "{{ contact.name }}"}
"""
THREADED = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  chat: {type: slack, token: xoxb-1, channel: C1}
  hook: {type: slack, webhook_url: "https://hooks.example.com/x"}
routes:
  - name: losses
    on: deal.lost
    deliver:
      - {to: chat, text: "{{ deal.name }}", thread: deal}
      - {to: chat, text: "{{ deal.name }}"}
      - {to: hook, text: "{{ deal.name }}"}
"""
DIGEST = """\
version: 1
sources: {crm: {type: rdstation_crm}}
targets: {sales: {type: log}}
routes:
  - name: losses
    on: deal.lost
    digest: {at: "18:00"}
    deliver: [{to: sales, text: "{{ items | map(attribute='deal.id') | join(', ') }}"}]
"""


@dataclass
class Shop:
    """Everything in one folder: rules, store, and the operations over both."""

    folder: Path
    store: Store
    rules: Ruleset
    clock: ManualClock
    host: Host
    rung: list[str]

    @property
    def operations(self) -> Operations:
        return Operations(self.store, self.host, self.clock)

    def arrival(self, body: dict[str, Any]) -> Event:
        """Return the event that a body is."""
        raw = orjson.dumps(body)
        read = self.rules.sources["crm"].read(raw)
        facts = read.name, read.entity, read.dedup_key, raw, self.clock.now(), read.occurred_at
        return Event(new_id("evt"), "crm", *facts)

    async def receive(self, *bodies: dict[str, Any]) -> list[Event]:
        """Store and route webhooks, a second apart; return their events."""
        events = []
        for body in bodies:
            events.append(self.arrival(body))
            await self.store.add(events[-1])
            await self.store.route(32, lambda *taken: list(in_order(self.rules.router.decide, *taken)))
            self.clock.advance(seconds=1)
        return events

    async def deliveries(self, event: Event) -> Sequence[Delivery]:
        """Return an event's deliveries, in the order of the rules."""
        return sorted(await self.store.deliveries(DeliveryQuery(event_id=event.id)), key=lambda each: each.entry)

    async def attempt(
        self,
        target: str,
        outcome: Outcome,
        state: DeliveryState,
        reason: str | None = None,
        links: tuple[Link, ...] = (),
    ) -> None:
        """Try the next delivery of a target, and record what it came to."""
        (claim,) = await self.store.claim(target, Limits(1), timedelta(seconds=30))
        attempt = Attempt(
            id=new_id("att"),
            delivery_id=claim.delivery.id,
            number=claim.delivery.attempts + 1,
            outcome=outcome,
            trigger=claim.trigger,
            started_at=self.clock.now(),
            duration=0.25,
            status=503 if reason else 200,
            reason=reason,
            excerpt="try later" if reason else "ok",
        )
        due = self.clock.now() + timedelta(hours=1) if state is DeliveryState.PENDING else None
        assert (await self.store.record(claim, attempt, Settlement(state, due, reason), links)).held


async def two_dead(shop: Shop) -> list[str]:
    """Lose two deals, whose messages for sales the service refuses; return the ids of those deliveries."""
    dead = []
    for id_ in ("d1", "d2"):
        (lost,) = await shop.receive(Deal(id_).lost())
        await shop.attempt("sales", Outcome.PERMANENT, DeliveryState.DEAD, "refused")
        dead.append((await shop.deliveries(lost))[0].id)
    return dead


def load_rules(folder: Path, clock: ManualClock, text: str = RULES) -> Ruleset:
    """Write and load rules."""
    (folder / "routes.yaml").write_text(text, encoding="utf-8")
    return config.load(folder / "routes.yaml", {}, clock).ruleset
