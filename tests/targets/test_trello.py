"""The trello target against a board that holds every request to the official contract."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from bridge.component import AnyTarget, Request
from bridge.component.client import Client
from bridge.component.http import json_body
from bridge.component.marks import mark_of
from bridge.errors import AccessRefused, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject, Link, Message, Rate, Receipt
from bridge.targets.trello import Trello, TrelloOptions
from bridge.targets.trello.api import Api
from tests.contracts.http_target import HttpTargetContract
from tests.contracts.target import DELIVERY, FixedClock, KnownLinks
from tests.support.contract_server import ContractServer, Step, answer, says
from tests.support.trello_board import BOARD, SHORT_LINK, Fault, TrelloBoard
from tests.support.trello_contract import KEY, TOKEN, Asked

CARD = "692500000000000000000001"
DEAL = "deal:65"
MARK = mark_of(DEAL)


def trello(url: str, **options: Any) -> Trello:
    """Return a target that talks to an address."""
    given = {"api_key": KEY, "token": TOKEN, "board": BOARD, "list": "Novas", "api_url": url} | options
    return Trello("sales", TrelloOptions.model_validate(given))


class TestContract(HttpTargetContract):
    type_name = "trello"
    content: ClassVar[JsonObject] = {
        "desc": r"**Valor:** R\$ 5,00 de Acme \*Cia\*",
        "due": "2026-12-24",
        "archived": False,
    }
    seen_by_people = "R$ 5,00 de Acme *Cia*"
    secrets = (KEY, TOKEN)

    def build(self, url: str, timeout: float = 15) -> AnyTarget:
        return trello(url, timeout=timeout)

    def accepted(self) -> Step:
        return says({"id": CARD, "shortUrl": "https://trello.com/c/x"})

    def links(self) -> KnownLinks:
        return KnownLinks(Link("sales", "deal:1", CARD, {"board": BOARD}))


@pytest.fixture
async def board() -> AsyncIterator[TrelloBoard]:
    async with TrelloBoard() as running:
        running.has("lists", "Novas", "Proposta", "Perdidas")
        yield running


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client(FixedClock()) as opened:
        yield opened


class Bridge:
    """Sends messages of one deal to one board, and keeps the links of those that were delivered."""

    def __init__(self, board: TrelloBoard, client: Client, /, **options: Any) -> None:
        self.board = board
        self.client = client
        self.options = options
        self.links = KnownLinks()
        self.target = trello(board.url, **options)

    async def send(self, **content: Any) -> Receipt:
        receipt = await self.target.send(Message(DELIVERY, DEAL, content), self.links, self.client)
        self.links.keep(receipt)
        return receipt

    async def again(self, **content: Any) -> Receipt:
        """Send again what may have arrived, as the worker does."""
        message = Message(DELIVERY, DEAL, content)
        found = await self.target.look_up(message, datetime.now(UTC), self.links, self.client)
        if found is None:
            return await self.send(**content)
        self.links.keep(found)
        return found

    def restart(self) -> None:
        """Forget what is in memory."""
        self.target = trello(self.board.url, **self.options)


@pytest.fixture
def bridge(board: TrelloBoard, client: Client) -> Bridge:
    return Bridge(board, client)


def once(line: str, fault: Fault) -> Any:
    """Let the first request of that kind go wrong."""
    faults = [fault]
    return lambda asked: faults.pop() if asked.line == line and faults else None


LOST = Fault(lost=True, done=True)


# one card for each key


async def test_the_first_message_makes_a_card(board: TrelloBoard, bridge: Bridge) -> None:
    receipt = await bridge.send(
        name="Padaria  Estrela\n", desc="**Valor:** 5", list="proposta", pos="top", due="2026-12-24"
    )
    assert board.lines == ["GET /boards/ID/lists", "GET /boards/ID/cards/all", "POST /cards"]
    card = board.card
    assert (card["name"], card["desc"], card["pos"]) == ("Padaria Estrela", f"**Valor:** 5\n\n{MARK}", 1)
    assert card["due"] == "2026-12-24T12:00:00.000Z", "a bare day is that day in every office"
    assert board.called("lists", card["idList"]) == ["Proposta"]
    assert receipt.excerpt == f"made {card['shortUrl']}"
    assert receipt.links == (Link("sales", DEAL, card["id"], {"board": BOARD}),)


async def test_later_messages_change_it_and_leave_alone_what_they_do_not_name(
    board: TrelloBoard, bridge: Bridge
) -> None:
    await bridge.send(name="Padaria", desc="Primeira", due="2026-12-24T18:00:00-03:00", start="2026-12-01")
    board.card["pos"] = 7
    receipt = await bridge.send(name="Padaria Estrela", list="Proposta", due=None, due_complete=True)
    card = board.card
    assert (card["name"], card["due"], card["dueComplete"]) == ("Padaria Estrela", None, True)
    assert (card["desc"], card["pos"], card["start"]) == (f"Primeira\n\n{MARK}", 7, "2026-12-01T12:00:00.000Z")
    assert board.called("lists", card["idList"]) == ["Proposta"]
    assert board.lines[-1] == "PUT /cards/ID"
    assert receipt.excerpt == f"updated {card['shortUrl']}"


async def test_a_message_without_a_list_moves_nothing_and_a_new_card_goes_to_the_targets(
    board: TrelloBoard, bridge: Bridge
) -> None:
    await bridge.send(name="Padaria")
    assert board.called("lists", board.card["idList"]) == ["Novas"]
    (elsewhere,) = board.has("lists", "Feitas à mão")
    board.card["idList"] = elsewhere
    await bridge.send(name="Padaria Estrela")
    assert board.card["idList"] == elsewhere


async def test_each_key_has_its_card(board: TrelloBoard, bridge: Bridge) -> None:
    for key in ("deal:1", "deal:2", "deal:1"):
        receipt = await bridge.target.send(Message(DELIVERY, key, {"name": key}), bridge.links, bridge.client)
        bridge.links.keep(receipt)
    assert sorted(card["name"] for card in board.cards.values()) == ["deal:1", "deal:2"]


async def test_a_card_is_archived_when_told_and_comes_back_when_told(board: TrelloBoard, bridge: Bridge) -> None:
    await bridge.send(name="Padaria")
    await bridge.send(archived=True, list="Perdidas")
    assert board.card["closed"] is True
    await bridge.send(name="Padaria")
    assert board.card["closed"] is True, "what nobody says stays"
    await bridge.send(name="Padaria", archived=False, list="Novas")
    assert board.card["closed"] is False


@pytest.mark.parametrize("content", [{"archived": True, "name": "x"}, {"list": "Perdidas"}, {"comment": "Perdida"}])
async def test_what_is_to_be_done_to_no_card_is_nothing(
    board: TrelloBoard, bridge: Bridge, content: dict[str, Any]
) -> None:
    receipt = await bridge.send(**content)
    assert board.cards == {}
    assert receipt.excerpt == "there is no card of this key, and the entry makes none"
    assert receipt.links == ()


async def test_a_card_without_a_list_is_a_dead_letter_that_says_so(board: TrelloBoard, client: Client) -> None:
    bridge = Bridge(board, client, list=None)
    with pytest.raises(PermanentFailure, match='the entry names none, and its target has no "list"'):
        await bridge.send(name="Padaria")


async def test_a_board_may_be_named_by_its_short_link(board: TrelloBoard, client: Client) -> None:
    bridge = Bridge(board, client, board=f"https://trello.com/b/{SHORT_LINK}/vendas")
    await bridge.send(name="Padaria")
    await bridge.send(name="Padaria", list="Proposta")
    assert board.lines.count("GET /boards/AbCdEf12") == 1
    assert board.called("lists", board.card["idList"]) == ["Proposta"]


async def test_a_link_to_a_card_of_another_board_is_over(board: TrelloBoard, bridge: Bridge) -> None:
    bridge.links = KnownLinks(Link("sales", DEAL, CARD, {"board": "5abbe4b7ddc1b351ef961499"}))
    await bridge.send(name="Padaria")
    assert bridge.links.kept[DEAL].external_id == board.card["id"]


# made there, not noted here


async def test_a_card_whose_making_was_not_noted_is_found_again(board: TrelloBoard, bridge: Bridge) -> None:
    board.fail = once("POST /cards", LOST)
    with pytest.raises(UnknownOutcome):
        await bridge.send(name="Padaria", desc="Primeira")
    bridge.restart()
    await bridge.send(name="Padaria Estrela", desc="Segunda")
    assert board.card["desc"] == f"Segunda\n\n{MARK}"
    assert board.card["name"] == "Padaria Estrela"


async def test_what_is_in_memory_does_not_hide_a_card_that_was_made_since(board: TrelloBoard, bridge: Bridge) -> None:
    await bridge.target.send(Message(DELIVERY, "deal:1", {"name": "Outra"}), KnownLinks(), bridge.client)
    board.fail = once("POST /cards", LOST)
    with pytest.raises(UnknownOutcome):
        await bridge.send(name="Padaria")
    await bridge.send(name="Padaria")
    assert len(board.cards) == 2
    assert "since" in board.asked[-2].query, "only what was made since the last look is read"


async def test_an_archived_card_is_found_as_well(board: TrelloBoard, bridge: Bridge) -> None:
    await bridge.send(name="Padaria")
    board.card["closed"] = True
    bridge.links = KnownLinks()
    bridge.restart()
    await bridge.send(name="Padaria", archived=False)
    assert board.card["closed"] is False


async def test_of_copies_that_people_made_the_oldest_is_the_card(board: TrelloBoard, bridge: Bridge) -> None:
    await bridge.send(name="Padaria")
    copy = board.new_id()
    board.cards = {copy: {**board.card, "id": copy, "name": "Cópia"}, **board.cards}
    bridge.links = KnownLinks()
    bridge.restart()
    await bridge.send(name="Padaria Estrela")
    assert sorted(card["name"] for card in board.cards.values()) == ["Cópia", "Padaria Estrela"]


async def test_a_board_of_many_cards_is_read_page_by_page(board: TrelloBoard, bridge: Bridge) -> None:
    await bridge.send(name="Padaria")
    for _ in range(2100):
        other = board.new_id()
        board.cards[other] = {"id": other, "name": "Outra", "desc": "feita à mão"}
    bridge.links = KnownLinks()
    bridge.restart()
    await bridge.send(name="Padaria Estrela")
    assert [card["name"] for card in board.cards.values() if MARK in card["desc"]] == ["Padaria Estrela"]
    pages = [asked for asked in board.asked if asked.path.endswith("/cards/all")]
    assert ["before" in page.query for page in pages] == [False, False, True, True]


async def test_a_card_that_people_deleted_is_made_anew(board: TrelloBoard, bridge: Bridge) -> None:
    await bridge.send(name="Padaria")
    board.cards.clear()
    await bridge.send(name="Padaria Estrela")
    assert board.card["name"] == "Padaria Estrela"
    assert bridge.links.kept[DEAL].external_id == board.card["id"]


async def test_a_deleted_card_that_memory_knows_by_its_mark_is_made_anew(board: TrelloBoard, bridge: Bridge) -> None:
    board.fail = once("POST /cards", LOST)
    with pytest.raises(UnknownOutcome):
        await bridge.send(name="Padaria")
    assert await bridge.target._place.cards.find(_api(bridge), MARK) == board.card["id"]
    board.cards.clear()
    await bridge.send(name="Padaria Estrela")
    assert board.card["name"] == "Padaria Estrela"


@pytest.mark.parametrize("content", [{"list": "Perdidas"}, {"comment": "x"}, {"checklists": {"a": "b"}}])
async def test_to_change_a_card_that_people_deleted_is_a_dead_letter(
    board: TrelloBoard, bridge: Bridge, content: dict[str, Any]
) -> None:
    await bridge.send(name="Padaria")
    board.cards.clear()
    with pytest.raises(PermanentFailure, match="the card is gone: it was deleted at Trello"):
        await bridge.send(**content)


async def test_to_archive_a_card_that_people_deleted_is_done(board: TrelloBoard, bridge: Bridge) -> None:
    await bridge.send(name="Padaria")
    board.cards.clear()
    receipt = await bridge.send(archived=True)
    assert "there is no card of this key" in receipt.excerpt
    assert board.cards == {}


# labels and members


async def test_labels_are_known_by_name_and_made_if_there_are_none(board: TrelloBoard, bridge: Bridge) -> None:
    (hot,) = board.has("labels", "Quente", color="red")
    await bridge.send(name="Padaria", labels=["quente", "Indicação", None, ""])
    assert board.called("labels", board.card["idLabels"]) == ["Quente", "Indicação"]
    assert board.card["idLabels"][0] == hot
    assert board.things["labels"][1]["color"] is None
    await bridge.send(name="Padaria", labels="Indicação")
    assert len(board.things["labels"]) == 2


async def test_labels_that_people_gave_a_card_stay_and_ours_go(board: TrelloBoard, bridge: Bridge) -> None:
    await bridge.send(name="Padaria", labels=["Morna", "Indicação"])
    board.card["idLabels"] += board.has("labels", "De Ana")
    await bridge.send(name="Padaria", labels=["Quente", "Indicação"])
    assert board.called("labels", board.card["idLabels"]) == ["De Ana", "Quente", "Indicação"]
    await bridge.send(name="Padaria")
    assert len(board.card["idLabels"]) == 3
    await bridge.send(name="Padaria", labels=[])
    assert board.called("labels", board.card["idLabels"]) == ["De Ana"]


async def test_a_label_whose_making_was_not_noted_is_not_made_twice(board: TrelloBoard, bridge: Bridge) -> None:
    board.fail = once("POST /boards/ID/labels", LOST)
    with pytest.raises(UnknownOutcome):
        await bridge.send(name="Padaria", labels="Quente")
    await bridge.send(name="Padaria", labels="Quente")
    assert [label["name"] for label in board.things["labels"]] == ["Quente"]


async def test_messages_that_come_together_make_a_label_once(board: TrelloBoard, bridge: Bridge) -> None:
    messages = [Message(DELIVERY, f"deal:{number}", {"name": "x", "labels": "Quente"}) for number in range(4)]
    await asyncio.gather(*(bridge.target.send(message, KnownLinks(), bridge.client) for message in messages))
    assert [label["name"] for label in board.things["labels"]] == ["Quente"]
    assert len(board.cards) == 4


async def test_members_are_known_by_every_name_that_they_have(board: TrelloBoard, client: Client) -> None:
    ana, bia, caio, dora = (
        board.has("members", name, fullName=full, username=name)[0]
        for name, full in (
            ("ana_silva", "Ana Silva"),
            ("bia", "Bia Reis"),
            ("caio", "Caio Lima"),
            ("dora", "Dora Dias"),
        )
    )
    bridge = Bridge(board, client, people={"Ana@Acme.example": "ana_silva", "Bia (vendas)": "Bia Reis"})
    await bridge.send(name="Padaria", members=["ana@acme.example", "Bia (vendas)", "@none", "caio", "DORA DIAS", ana])
    assert board.card["idMembers"] == [ana, bia, caio, dora]


async def test_whom_the_board_does_not_know_is_told_and_the_card_is_kept_all_the_same(
    board: TrelloBoard, bridge: Bridge
) -> None:
    board.has("members", "ana", fullName="Ana", username="ana")
    receipt = await bridge.send(name="Padaria", members=["bia@acme.example", "ana"])
    assert 'no member of the board is called "bia@acme.example"; made https://' in receipt.excerpt
    assert board.called("members", board.card["idMembers"]) == ["ana"]
    await bridge.send(name="Padaria", members="bia@acme.example")
    assert board.lines.count("GET /boards/ID/members") == 1, "who is unknown is not asked for at each message"
    assert board.card["idMembers"] == []


# what is on a card


async def test_a_checklist_gets_the_items_that_it_lacks(board: TrelloBoard, bridge: Bridge) -> None:
    await bridge.send(name="Padaria", checklists={"Passos": ["Ligar", "Enviar  proposta", "Ligar"], "Vazia": []})
    (steps,) = board.card["checklists"]
    assert [item["name"] for item in steps["checkItems"]] == ["Ligar", "Enviar proposta"]
    steps["checkItems"][0]["state"] = "complete"
    await bridge.send(checklists={"Passos": ["Ligar", "Assinar"], "Depois": "Cobrar"})
    assert [item["name"] for item in steps["checkItems"]] == ["Ligar", "Enviar proposta", "Assinar"]
    assert steps["checkItems"][0]["state"] == "complete"
    assert [each["name"] for each in board.card["checklists"]] == ["Passos", "Depois"]


async def test_an_address_is_attached_once(board: TrelloBoard, bridge: Bridge) -> None:
    for _ in range(2):
        await bridge.send(name="Padaria", url="https://crm.example/deals/65")
    await bridge.send(name="Padaria", url="")
    assert [each["url"] for each in board.card["attachments"]] == ["https://crm.example/deals/65"]


async def test_custom_fields_take_values_of_their_kinds(board: TrelloBoard, bridge: Bridge) -> None:
    for kind in ("text", "number", "date", "checkbox"):
        board.has("customFields", f"O {kind}", type=kind)
    options = [{"id": board.new_id(), "value": {"text": text}} for text in ("Alta", "Baixa")]
    board.has("customFields", "Prioridade", type="list", options=options)
    values = {"O text": 65, "o number": 11050.5, "O date": "2026-12-24", "O checkbox": True, "Prioridade": "alta"}
    await bridge.send(name="Padaria", custom_fields=values)
    assert custom_values(board) == {
        "O text": {"text": "65"},
        "O number": {"number": "11050.5"},
        "O date": {"date": "2026-12-24T12:00:00.000Z"},
        "O checkbox": {"checked": "true"},
        "Prioridade": options[0]["id"],
    }
    before = len(board.asked)
    await bridge.send(custom_fields=values)
    assert [asked.line for asked in board.asked[before:]] == ["GET /cards/ID"], "they are there already"
    await bridge.send(custom_fields=dict.fromkeys(values) | {"O checkbox": False})
    assert custom_values(board) == {"O text": {}, "O number": {}, "O date": {}, "O checkbox": {}, "Prioridade": ""}
    before = len(board.asked)
    await bridge.send(custom_fields=dict.fromkeys(values))
    assert [asked.line for asked in board.asked[before:]] == ["GET /cards/ID"]


def custom_values(board: TrelloBoard) -> dict[str, Any]:
    items = board.card["customFieldItems"]
    named = {board.called("customFields", item["idCustomField"])[0]: item for item in items}
    return {name: item.get("value", item.get("idValue")) for name, item in named.items()}


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("number", "muito", '"Campo" takes a number'),
        ("number", "NaN", '"Campo" takes a number'),
        ("number", "1e400", '"Campo" takes a number'),
        ("date", "logo", '"Campo" takes a day or a moment'),
        ("checkbox", "talvez", '"Campo" takes true or false'),
        ("list", "Altta", 'has no option "Altta"; did you mean "Alta"\\?'),
    ],
)
async def test_what_a_custom_field_does_not_take_is_a_dead_letter_before_anything_is_made(
    board: TrelloBoard, bridge: Bridge, kind: str, value: str, words: str
) -> None:
    board.has("customFields", "Campo", type=kind, options=[{"id": board.new_id(), "value": {"text": "Alta"}}])
    with pytest.raises(PermanentFailure, match=words):
        await bridge.send(name="Padaria", custom_fields={"Campo": value})
    assert board.cards == {}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"list": "Perdida"}, 'the board has no list "Perdida"; did you mean "Perdidas"\\?'),
        ({"custom_fields": {"Valor": 5}}, 'the board has no custom field "Valor"$'),
    ],
)
async def test_a_name_that_the_board_lacks_is_a_dead_letter_and_is_found_when_it_is_there(
    board: TrelloBoard, bridge: Bridge, content: dict[str, Any], words: str
) -> None:
    with pytest.raises(PermanentFailure, match=words):
        await bridge.send(name="Padaria", **content)
    assert board.cards == {}
    board.has("lists", "Perdida")
    board.has("customFields", "Valor", type="number")
    await bridge.send(name="Padaria", **content)
    assert len(board.cards) == 1


# comments


async def test_an_entry_that_comes_out_empty_does_nothing(board: TrelloBoard, bridge: Bridge) -> None:
    await bridge.send(name="Padaria")
    before = len(board.asked)
    receipt = await bridge.send(name="", list=" ", comment="", url=None, pos=None, archived=None, labels=None)
    assert [asked.line for asked in board.asked[before:]] == ["GET /cards/ID", "PUT /cards/ID"]
    receipt = await bridge.send(comment="", name=None)
    assert (receipt.status, receipt.excerpt) == (None, "the card has all of it already")


async def test_each_message_writes_its_comment(board: TrelloBoard, bridge: Bridge) -> None:
    await bridge.send(name="Padaria", comment="Perdida")
    await bridge.send(comment="Perdida")
    await bridge.send(comment="")
    assert comments(board) == ["Perdida", "Perdida"]
    assert bridge.links.kept[DEAL].data["comment"] == board.card["comments"][0]["id"]


def comments(board: TrelloBoard) -> list[str]:
    return [comment["data"]["text"] for comment in board.card["comments"]]


async def test_a_comment_whose_answer_was_lost_is_not_written_twice(board: TrelloBoard, bridge: Bridge) -> None:
    await bridge.send(name="Padaria", labels="Morna", comment="Perdida")
    board.fail = once("POST /cards/ID/actions/comments", LOST)
    with pytest.raises(UnknownOutcome):
        await bridge.send(labels="Quente", comment="Perdida")
    bridge.restart()
    receipt = await bridge.again(labels="Quente", comment="Perdida")
    assert receipt.excerpt == "found the comment on the card"
    assert comments(board) == ["Perdida", "Perdida"]
    await bridge.send(labels=[])
    assert board.card["idLabels"] == [], "the labels of the message that was found are known to be ours"


async def test_a_comment_that_was_not_written_is_written(board: TrelloBoard, bridge: Bridge) -> None:
    await bridge.send(name="Padaria", comment="Perdida")
    board.fail = once("POST /cards/ID/actions/comments", Fault(lost=True))
    with pytest.raises(UnknownOutcome):
        await bridge.send(comment="Perdida")
    assert (await bridge.again(comment="Perdida")).excerpt == "commented"
    assert comments(board) == ["Perdida", "Perdida"], "that of the message before is none of this one"


async def test_a_comment_behind_an_error_of_trellos_own_may_have_been_written(
    board: TrelloBoard, bridge: Bridge
) -> None:
    board.fail = once("POST /cards/ID/actions/comments", Fault(504, "upstream timed out", done=True))
    with pytest.raises(UnknownOutcome, match="Trello says 504: upstream timed out; it may have been done"):
        await bridge.send(name="Padaria", comment="Nova")
    await bridge.again(name="Padaria", comment="Nova")
    assert comments(board) == ["Nova"]
    assert bridge.links.kept[DEAL].external_id == board.card["id"]


async def test_a_comment_that_was_refused_was_not_written(board: TrelloBoard, bridge: Bridge) -> None:
    board.fail = once("POST /cards/ID/actions/comments", Fault(429, '{"error":"API_TOKEN_LIMIT_EXCEEDED"}'))
    with pytest.raises(TransientFailure) as caught:
        await bridge.send(name="Padaria", comment="Nova")
    assert (caught.value.throttled, caught.value.retry_after) == (True, None)
    await bridge.send(name="Padaria", comment="Nova")
    assert comments(board) == ["Nova"]
    assert len(board.cards) == 1


async def test_where_there_is_no_comment_or_no_card_there_is_nothing_to_look_up(
    board: TrelloBoard, bridge: Bridge
) -> None:
    message = Message(DELIVERY, DEAL, {"name": "Padaria", "comment": "x"})
    assert await bridge.target.look_up(message, datetime.now(UTC), KnownLinks(), bridge.client) is None
    gone = KnownLinks(Link("sales", DEAL, CARD, {}))
    assert await bridge.target.look_up(message, datetime.now(UTC), gone, bridge.client) is None
    silent = Message(DELIVERY, DEAL, {"name": "Padaria"})
    board.asked.clear()
    assert await bridge.target.look_up(silent, datetime.now(UTC), gone, bridge.client) is None
    assert board.asked == []


async def test_a_refusal_to_look_is_no_answer(board: TrelloBoard, bridge: Bridge) -> None:
    await bridge.send(name="Padaria")
    board.fail = once("GET /cards/ID/actions", Fault(400, "invalid filter"))
    with pytest.raises(PermanentFailure, match="invalid filter"):
        await bridge.again(comment="Perdida")
    assert comments(board) == []


async def test_a_comment_from_long_before_the_message_is_none_of_it(board: TrelloBoard, bridge: Bridge) -> None:
    await bridge.send(name="Padaria")
    board.card["comments"].append({"id": f"{1:08x}{1:016x}", "data": {"text": "Perdida"}})
    await bridge.again(comment="Perdida")
    assert comments(board) == ["Perdida", "Perdida"]


async def test_many_comments_are_looked_through_and_too_many_leave_it_unknown(
    board: TrelloBoard, bridge: Bridge
) -> None:
    await bridge.send(name="Padaria", comment="Perdida")
    del bridge.links.kept[DEAL].data["comment"]
    people = [{"id": board.new_id(), "data": {"text": "Liguei"}} for _ in range(120)]
    board.card["comments"][:0] = people
    assert (await bridge.again(comment=" Perdida\n")).excerpt == "found the comment on the card"
    board.card["comments"][:0] = [{"id": board.new_id(), "data": {}} for _ in range(1000)]
    del bridge.links.kept[DEAL].data["comment"]
    with pytest.raises(UnknownOutcome, match="more comments than can be looked through"):
        await bridge.again(comment="Perdida")


# whatever breaks off is taken up again


EVERYTHING: dict[str, Any] = {
    "name": "Padaria",
    "desc": "Descrição",
    "labels": ["Quente"],
    "members": ["ana"],
    "url": "https://crm.example/deals/65",
    "checklists": {"Passos": ["Ligar", "Enviar"]},
    "custom_fields": {"Valor": 5},
    "comment": "Nova",
}


async def requests_of_all(board: TrelloBoard, bridge: Bridge) -> int:
    board.has("members", "ana", fullName="Ana", username="ana")
    board.has("customFields", "Valor", type="number")
    await bridge.send(**EVERYTHING)
    return len(board.asked)


@pytest.mark.parametrize("fault", [Fault(503, "busy"), LOST, Fault(lost=True), Fault(504, "", done=True)])
@pytest.mark.parametrize("number", range(13))
async def test_a_message_that_broke_off_anywhere_is_done_once_in_the_end(
    client: Client, number: int, fault: Fault
) -> None:
    async with TrelloBoard() as board:
        board.has("lists", "Novas")
        board.has("members", "ana", fullName="Ana", username="ana")
        board.has("customFields", "Valor", type="number")
        bridge = Bridge(board, client)
        board.fail = lambda _: fault if len(board.asked) == number + 1 else None
        with pytest.raises((TransientFailure, UnknownOutcome)) as caught:
            await bridge.send(**EVERYTHING)
        bridge.restart()
        sending = bridge.again if isinstance(caught.value, UnknownOutcome) else bridge.send
        await sending(**EVERYTHING)
        card = board.card
        assert card["desc"] == f"Descrição\n\n{MARK}"
        assert board.called("labels", card["idLabels"]) == ["Quente"]
        assert board.called("members", card["idMembers"]) == ["ana"]
        assert [each["url"] for each in card["attachments"]] == ["https://crm.example/deals/65"]
        assert [[item["name"] for item in each["checkItems"]] for each in card["checklists"]] == [["Ligar", "Enviar"]]
        assert custom_values(board) == {"Valor": {"number": "5"}}
        assert comments(board) == ["Nova"]
        assert len(board.things["labels"]) == 1


async def test_all_of_it_takes_as_many_requests_as_the_test_above_breaks_off(
    board: TrelloBoard, bridge: Bridge
) -> None:
    assert await requests_of_all(board, bridge) == 13


# refusals


@pytest.mark.parametrize(
    ("status", "body", "failure", "words"),
    [
        (401, b"invalid key", AccessRefused, r"Trello refused with 401: invalid key \(copy the API key anew"),
        (401, b"invalid token", AccessRefused, r"invalid token \(make a new token for the API key"),
        (401, b"expired token", AccessRefused, "never expires"),
        (401, b"unauthorized card permission requested", PermanentFailure, "a board that the token may not write to"),
        (400, b"invalid value for idList", PermanentFailure, "Trello refused with 400: invalid value for idList$"),
        (400, b'{"message":"too many cards","error":"LIMIT"}', PermanentFailure, "400: too many cards$"),
        (403, b"", AccessRefused, "answered 403"),
        (429, b'{"error":"API_KEY_LIMIT_EXCEEDED","message":"Rate limit exceeded"}', TransientFailure, "Rate limit"),
        (502, b"<html>bad gateway</html>", TransientFailure, "Trello says 502: <html>"),
        (400, b"[1]", PermanentFailure, "answered 400"),
    ],
)
async def test_a_refusal_is_told_in_trellos_words_with_what_to_do(
    client: Client, status: int, body: bytes, failure: type[Exception], words: str
) -> None:
    links = KnownLinks(Link("sales", DEAL, CARD, {"board": BOARD}))
    async with ContractServer(answer(status, body)) as server:
        with pytest.raises(failure, match=words):
            await trello(server.url).send(Message(DELIVERY, DEAL, {"desc": "x"}), links, client)


@pytest.mark.parametrize(
    "step", [answer(200, b"<html>log in to the hotel</html>"), says([]), says({}), says("ok"), answer(200, b"")]
)
async def test_an_answer_that_is_not_trellos_leaves_the_outcome_unknown(client: Client, step: Step) -> None:
    links = KnownLinks(Link("sales", DEAL, CARD, {"board": BOARD}))
    async with ContractServer(step) as server:
        with pytest.raises(UnknownOutcome, match="the answer is not one of Trello's"):
            await trello(server.url).send(Message(DELIVERY, DEAL, {"desc": "x"}), links, client)


async def test_cards_that_come_as_no_list_leave_the_outcome_unknown(client: Client) -> None:
    async with ContractServer(says({"id": BOARD})) as server:
        with pytest.raises(UnknownOutcome, match="not one of Trello's"):
            await trello(server.url).send(Message(DELIVERY, DEAL, {"name": "x"}), KnownLinks(), client)


@pytest.mark.parametrize("board_option", ["5abbe4b7ddc1b351ef961499", "ZzZzZzZz"])
async def test_a_board_that_is_not_there_pauses_the_target(
    board: TrelloBoard, client: Client, board_option: str
) -> None:
    bridge = Bridge(board, client, board=board_option)
    with pytest.raises(AccessRefused, match="Trello has no such board, or the account of the token is no member of it"):
        await bridge.send(name="Padaria")


async def test_a_refusal_to_read_the_board_is_told_as_it_is(board: TrelloBoard, client: Client) -> None:
    bridge = Bridge(board, client, board=SHORT_LINK)
    for line in ("GET /boards/AbCdEf12", "GET /boards/ID/lists"):
        board.fail = once(line, Fault(400, "invalid id"))
        with pytest.raises(PermanentFailure, match="Trello refused with 400: invalid id"):
            await bridge.send(name="Padaria")


async def test_no_address_holds_a_secret(board: TrelloBoard, bridge: Bridge) -> None:
    await bridge.send(name="Padaria", labels="Quente")
    assert not any(
        KEY in f"{asked.path}{asked.query}" or TOKEN in f"{asked.path}{asked.query}" for asked in board.asked
    )


# the rest


def _api(bridge: Bridge) -> Any:
    return Api(bridge.target.options, bridge.client)


async def test_a_reading_of_many_cards_that_broke_off_goes_on_where_it_was(
    board: TrelloBoard, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.targets.trello.cards.PAGE", 2)
    await bridge.send(name="Padaria")
    others = {id_: {"id": id_, "desc": ""} for id_ in (board.new_id() for _ in range(7))}
    board.cards |= others
    bridge.links = KnownLinks()
    bridge.restart()
    board.asked.clear()
    board.fail = lambda _: Fault(503) if len(board.asked) == 3 else None
    with pytest.raises(TransientFailure):
        await bridge.send(name="Padaria")
    await bridge.send(name="Padaria Estrela")
    pages = [asked.query.get("before", "") for asked in board.asked if asked.path.endswith("/cards/all")]
    ids = sorted(board.cards)
    assert pages[:5] == ["", ids[6], ids[4], ids[4], ids[2]], "none is read twice"
    assert [card["name"] for card in board.cards.values() if MARK in card["desc"]] == ["Padaria Estrela"]


async def test_reading_ends_with_a_board_that_gives_the_same_page_for_ever(
    board: TrelloBoard, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.targets.trello.cards.PAGE", 2)
    board.cards = {id_: {"id": id_, "desc": ""} for id_ in (board.new_id() for _ in range(3))}
    monkeypatch.setattr(board, "_page", lambda _: list(board.cards.values())[-2:])
    await bridge.send(name="Padaria")
    assert len(board.cards) == 4


async def test_of_many_new_cards_none_is_missed(
    board: TrelloBoard, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.targets.trello.cards.PAGE", 2)
    await bridge.target.send(Message(DELIVERY, "deal:1", {"name": "Outra"}), KnownLinks(), bridge.client)
    board.fail = once("POST /cards", LOST)
    with pytest.raises(UnknownOutcome):
        await bridge.send(name="Padaria")
    board.cards |= {id_: {"id": id_, "desc": ""} for id_ in (board.new_id() for _ in range(5))}
    await bridge.send(name="Padaria")
    assert len(board.cards) == 7


def test_trello_takes_a_hundred_requests_in_ten_seconds_and_a_message_may_need_two() -> None:
    assert trello("https://x.example").limits.rate == Rate(50, 10.0)


@pytest.mark.parametrize("content", [{"archived": True}, {"list": "x", "comment": "", "due": None}, {"desc": "x"}])
def test_a_newer_message_replaces_one_that_only_changes_the_card(content: JsonObject) -> None:
    assert trello("https://x.example").upserts(content)


@pytest.mark.parametrize(
    "content", [{"name": "Padaria"}, {"list": "x", "comment": "x"}, {"labels": "x"}, {"members": ["x"]}]
)
def test_no_message_replaces_one_that_others_count_on(content: JsonObject) -> None:
    """Between the two there may be a comment on the card that the older one makes."""
    assert not trello("https://x.example").upserts(content)


def test_it_looks_up_before_it_sends_again() -> None:
    assert trello("https://x.example").looks_up


def test_a_preview_shows_the_card_from_the_top_down() -> None:
    content: JsonObject = {
        "name": "Padaria",
        "list": "Perdidas",
        "labels": ["Quente", None],
        "due": None,
        "archived": True,
        "custom_fields": {"Valor": 5.5},
        "desc": "\\*texto\\*",
        "checklists": {"Passos": ["\\[x\\] Ligar"], "Depois": "Cobrar"},
        "comment": "Oi @\u2060board",
    }
    assert trello("https://x.example").preview(content).splitlines() == [
        "Padaria",
        "list: Perdidas",
        "labels: Quente",
        "due: —",
        "archived: true",
        "Valor: 5.5",
        "",
        "*texto*",
        "",
        "Passos:",
        "[ ] [x] Ligar",
        "",
        "Depois:",
        "[ ] Cobrar",
        "",
        "comment: Oi @board",
    ]
    assert trello("https://x.example").preview({"comment": "Oi"}) == "comment: Oi"


def test_an_entry_that_makes_cards_without_a_list_is_warned_of() -> None:
    bare, full = trello("https://x.example", list=None), trello("https://x.example")
    assert len(bare.warnings({"name": "x"})) == 1
    assert bare.warnings({"name": "x", "list": "{{ deal.deal_stage.name }}"}) == ()
    assert bare.warnings({"name": "x", "archived": True}) == ()
    assert bare.warnings({"comment": "x"}) == ()
    assert full.warnings({"name": "x"}) == ()


async def test_a_probe_tells_which_board_and_list_it_found(board: TrelloBoard, client: Client) -> None:
    assert await trello(board.url).probe(client) == 'sees the board "Vendas", new cards go to the list "Novas"'
    assert await trello(board.url, list=None, board=SHORT_LINK).probe(client) == 'sees the board "Vendas"'
    with pytest.raises(PermanentFailure, match='the board has no list "Nova"; did you mean "Novas"'):
        await trello(board.url, list="Nova").probe(client)
    with pytest.raises(AccessRefused, match="no such board"):
        await trello(board.url, board="ZzZzZzZz").probe(client)
    board.closed = True
    with pytest.raises(AccessRefused, match='the board "Vendas" is closed'):
        await trello(board.url).probe(client)


async def test_the_board_of_these_tests_finds_what_breaks_the_contract(client: Client) -> None:
    async def broken(method: str, path: str, body: JsonObject | None = None) -> str:
        board = TrelloBoard()
        async with board:
            authorization = {"Authorization": f'OAuth oauth_consumer_key="{KEY}", oauth_token="{TOKEN}"'}
            sent = None if body is None else json_body(body)
            await client.call(Request(method, board.url + path, authorization, sent))
            found, board.violations = board.violations, []
        return "\n".join(found)

    assert "unknown query name colour" in await broken("GET", f"/boards/{BOARD}?colour=red")
    assert "'idList' is a required property" in await broken("POST", "/cards", {"name": "x"})
    assert "name" in await broken("POST", "/cards", {"idList": CARD, "name": "x" * 16_385})
    assert "text" in await broken("POST", f"/cards/{CARD}/actions/comments", {})
    assert "limit" in await broken("GET", f"/boards/{BOARD}/cards/all?limit=2000")
    assert "PathNotFound" in await broken("GET", f"/boards/{BOARD}/stickers")
    with pytest.raises(AssertionError, match="requests broke Trello's contract"):
        async with TrelloBoard() as board:
            await client.call(Request("GET", f"{board.url}/boards/{BOARD}"))
    assert "value" in await broken("PUT", f"/cards/{CARD}/customField/{CARD}/item", {"value": {"number": 5}})


def test_asked_without_ids() -> None:
    assert Asked("PUT", f"/cards/{CARD}", {}, None).line == "PUT /cards/ID"
