"""A deal's card at Trello, from its webhooks to the board, with all that can go wrong in between."""

import random
from pathlib import Path
from typing import Any

import pytest

from bridge.model import DeliveryState
from bridge.store.base import Store
from bridge.store.nouns import DeliveryQuery
from bridge.trial import MovedClock
from tests.support.deals import Deal
from tests.support.life import Mishaps, live, outlived, staged
from tests.support.trello_board import BOARD, Fault, TrelloBoard
from tests.support.trello_contract import KEY, TOKEN

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  board:
    type: trello
    api_key: KEY
    token: TOKEN
    board: BOARD
    list: Novas
    api_url: ADDRESS
    OPTIONS
routes:
  - name: card
    on: [deal.created, crm_deal_updated]
    deliver:
      - to: board
        name: "{{ deal.name }}"
        desc: "**Nota:** {{ deal.rating }}"
        list: "{{ {'won': 'Ganhas', 'lost': 'Perdidas'}.get(deal.status, deal.deal_stage.name) }}"
        labels: ["{{ 'Nota ' ~ deal.rating }}"]
        checklists: {Passos: [Ligar, Enviar]}
        url: "https://crm.example/deals/{{ deal.id }}"
        archived: "{{ deal.rating == 1 }}"
  - name: told
    on: [deal.lost, deal.won]
    deliver:
      - {to: board, comment: "{{ deal.status }} {{ event.occurred_at | datetime }}"}
"""
LISTS = ("Novas", "Etapa 1", "Etapa 2", "Etapa 3", "Ganhas", "Perdidas")


def rules_for(board: TrelloBoard, options: str = "concurrency: 4") -> str:
    """Return the rules for a board."""
    filled = {"KEY": KEY, "TOKEN": TOKEN, "BOARD": BOARD, "ADDRESS": board.url, "OPTIONS": options}
    text = RULES
    for name, value in filled.items():
        text = text.replace(name, value)
    return text


def assert_as_newest(board: TrelloBoard, document: dict[str, Any]) -> None:
    """Fail unless there is one card, and it is as the newest document has the deal."""
    card, rating = board.card, document["rating"]
    lists = {"won": "Ganhas", "lost": "Perdidas"}
    assert card["name"] == "Padaria Estrela"
    assert card["desc"].startswith(f"**Nota:** {rating}\n\n[bridge:")
    assert board.called("lists", card["idList"]) == [lists.get(document["status"], document["deal_stage"]["name"])]
    assert board.called("labels", card["idLabels"]) == [f"Nota {rating}"]
    assert card["closed"] is False
    assert [[item["name"] for item in each["checkItems"]] for each in card["checklists"]] == [["Ligar", "Enviar"]]
    assert len(card["attachments"]) == 1
    assert len({label["name"] for label in board.things["labels"]}) == len(board.things["labels"])


async def assert_told_once(board: TrelloBoard, store: Store) -> None:
    """Fail unless each comment was written once, in order, and nothing was given up."""
    deliveries = await store.deliveries(DeliveryQuery(limit=1000))
    given_up = [
        each.reason for each in deliveries if each.state not in {DeliveryState.DELIVERED, DeliveryState.CANCELLED}
    ]
    assert given_up == []
    told = sorted((each for each in deliveries if each.route == "told"), key=lambda each: each.created_at)
    wanted = [each.content["comment"] for each in told if each.content]
    assert [comment["data"]["text"] for comment in reversed(board.card["comments"])] == wanted


FAULTS = (
    Fault(429, '{"error":"API_TOKEN_LIMIT_EXCEEDED","message":"Rate limit exceeded"}'),
    Fault(503, "busy"),
    Fault(504, "timed out", done=True),
    Fault(lost=True),
    Fault(lost=True, done=True),
)

MAKES, COMMENTS = "POST /cards", "POST /cards/ID/actions/comments"


@pytest.mark.parametrize(
    ("point", "passage", "last"),
    [
        ("request after it left", 5, MAKES),
        ("answer before it is read", 5, MAKES),
        ("answer before it is read", 8, "POST /checklists/ID/checkItems"),
        ("answer before record", 1, "POST /checklists/ID/checkItems"),
        ("request after it left", 13, COMMENTS),
        ("answer before it is read", 13, COMMENTS),
        ("answer before record", 3, COMMENTS),
        ("record before commit", 3, COMMENTS),
    ],
)
async def test_a_daemon_that_is_killed_beside_its_service_makes_one_card_and_one_comment(
    tmp_path: Path, point: str, passage: int, last: str
) -> None:
    """It is killed between the service's deed and the record of it; the next daemon finds what was done."""
    deal = Deal("65", deal_stage={"id": "s1", "name": "Etapa 1", "order": 1}, rating=3)
    async with TrelloBoard() as board:
        board.has("lists", *LISTS)

        def killed() -> None:
            assert board.lines[-1] == last, "the last that the daemon did"

        rules = rules_for(board, "rate: 1000/s\n    retry: {first: 1ms, max: 1ms}\n    breaker: null")
        async with outlived(tmp_path, rules, (point, passage), deal, killed):
            assert_as_newest(board, deal.document)
            comments = [comment["data"]["text"] for comment in board.card["comments"]]
            assert len(comments) == 1
            assert comments[0].startswith("lost ")


@pytest.mark.parametrize("seed", range(4))
async def test_thirty_webhooks_in_any_order_leave_one_card_in_the_state_of_the_newest(
    tmp_path: Path, seed: int
) -> None:
    chance, clock = random.Random(seed), MovedClock()  # noqa: S311 (the same chances in each run)
    deal = Deal("65", deal_stage={"id": "s1", "name": "Etapa 1", "order": 1}, rating=3)
    mishaps = Mishaps(chance, FAULTS)
    async with (
        TrelloBoard(clock, mishaps) as board,
        staged(tmp_path, rules_for(board), "board", clock) as (stage, store, rules),
    ):
        board.has("lists", *LISTS)
        await live(deal, chance, stage, rules, clock)
        assert mishaps.counted >= 3
        assert_as_newest(board, deal.document)
        await assert_told_once(board, store)
