"""A deal's message in a chat, from its webhooks to the channel, with all that can go wrong in between."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from bridge.trial import MovedClock
from tests.support.chats import Chat, DiscordChannel, Fault, SlackChannel, TelegramGroup
from tests.support.contract_server import Seen
from tests.support.deals import Deal
from tests.support.life import IN_HASTE, Mishaps, live, outlived, staged

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  chat: TARGET
routes:
  - name: now
    on: [deal.created, crm_deal_updated]
    deliver:
      - to: chat
        update: deal
        supersede: false
        text: "{{ deal.name }}, {{ deal.status }}, nota {{ deal.rating }}"
"""
CHATS = [SlackChannel, DiscordChannel, TelegramGroup]
FAULTS = (Fault(429), Fault(503), Fault(500), Fault(lost=True), Fault(lost=True, done=True))


def rules_for(chat: Chat, **options: Any) -> str:
    return RULES.replace("TARGET", json.dumps(chat.target(**options)))


def assert_as_newest(chat: Chat, document: dict[str, Any]) -> None:
    """Fail unless the last message of the chat is as the newest document has the deal."""
    assert chat.texts[-1] == f"Padaria Estrela, {document['status']}, nota {document['rating']}"


class Sparing:
    """Spares the first message of a chat in which nobody could find it: lost behind the deed, it may come twice."""

    def __init__(self, mishaps: Mishaps[Fault], chat: Chat) -> None:
        self.mishaps = mishaps
        self.chat = chat

    def __call__(self, seen: Seen) -> Fault | None:
        fault = self.mishaps(seen)
        harmful = fault and fault.done and not self.chat.posted and not self.chat.looks_up
        return None if harmful else fault


@pytest.mark.parametrize("kind", CHATS)
@pytest.mark.parametrize("seed", range(4))
async def test_thirty_webhooks_in_any_order_leave_one_message_in_the_state_of_the_newest(
    tmp_path: Path, seed: int, kind: type[Chat]
) -> None:
    chance, clock = random.Random(seed), MovedClock()  # noqa: S311 (the same chances in each run)
    deal, mishaps = Deal("65", rating=3), Mishaps(chance, FAULTS, share=0.6)
    async with kind(clock) as chat:
        chat.fail = Sparing(mishaps, chat)
        async with staged(tmp_path, rules_for(chat), "chat", clock) as (stage, _, rules):
            await live(deal, chance, stage, rules, clock)
        assert mishaps.counted >= 3
        assert len(chat.posted) == 1
        assert_as_newest(chat, deal.document)


@pytest.mark.parametrize("kind", CHATS)
@pytest.mark.parametrize(
    ("point", "passage"),
    [
        ("request after it left", 1),
        ("answer before it is read", 1),
        ("answer before record", 1),
        ("record before commit", 1),
    ],
)
async def test_a_daemon_that_is_killed_beside_its_service_loses_nothing(
    tmp_path: Path, kind: type[Chat], point: str, passage: int
) -> None:
    """It is killed while the first message goes out; what can be found is there once, what cannot at most twice."""
    deal = Deal("65", rating=3)
    async with kind() as chat, outlived(tmp_path, rules_for(chat, **IN_HASTE), (point, passage), deal):
        assert len(chat.posted) <= (1 if chat.looks_up else 2)
        assert_as_newest(chat, deal.document)
