import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.component import AnyTarget
from bridge.component.client import Client
from bridge.component.http import json_body
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject, Message, Rate, Receipt
from bridge.options import Secret, StandIns
from bridge.targets.google_sheets import GoogleSheets, GoogleSheetsAction, GoogleSheetsOptions
from bridge.targets.google_sheets.cells import cell, cells, missing, place_of, quoted
from tests.contracts.http_target import HttpTargetContract
from tests.contracts.target import DELIVERY, KnownLinks
from tests.support.contract_server import ContractServer, Step, answer, says
from tests.support.google_calendar import Fault, account_key, google_key
from tests.support.google_sheets import SHEET, SPREADSHEET, FakeGoogleSheets
from tests.support.openapi import GOOGLE_SHEETS, Asked

KEY = "deal:65"
NAMES = ["key", "name", "amount"]


class TestContract(HttpTargetContract):
    type_name = "google_sheets"
    content: ClassVar[JsonObject] = {"row": {"name": "Padaria Estrela"}}
    seen_by_people = "name: Padaria Estrela"
    secrets = ("ya29.hush", account_key()[0])

    def build(self, url: str, timeout: float = 15) -> AnyTarget:
        options = {
            "spreadsheet": SPREADSHEET,
            "sheet": SHEET,
            "service_account": google_key(f"{url}/token"),
            "api_url": url,
            "timeout": timeout,
        }
        target = GoogleSheets("sales", GoogleSheetsOptions.model_validate(options))
        target._sheet._tokens.known(Secret("ya29.hush"), 3600)
        return target

    def accepted(self) -> Step:
        return says({"valueRanges": [{"values": [["key", "name"]]}, {"values": [["key"], ["deal:1"]]}]})

    def filled(self, text: str) -> JsonObject:
        return {"row": {"name": text}}

    async def test_a_message_is_delivered_with_a_receipt(self, server: ContractServer, client: Client) -> None:
        receipt = await self.send(server.url, client)
        assert (receipt.status, receipt.excerpt) == (200, "row 2 was written")
        assert [seen.method for seen in server.seen] == ["GET", "PUT"]

    async def test_every_status_has_its_meaning(self, server: ContractServer, client: Client) -> None:
        later, target = {408, 425, 429, *range(500, 600)}, self.build(server.url)  # its key is checked when it is built
        for status in range(300, 600):
            server.script(answer(status, b"no"))
            with pytest.raises(DeliveryFailure) as caught:
                await target.send(Message(DELIVERY, "deal:1", self.content), self.links(), client)
            refused = PermanentFailure if status == 400 else AccessRefused
            assert type(caught.value) is (TransientFailure if status in later else refused), status

    async def test_a_redirect_is_refused_and_not_followed(self, server: ContractServer, client: Client) -> None:
        server.script(answer(302, b"", Location="/elsewhere"))
        failure = await self.failure(server.url, client)
        assert isinstance(failure, AccessRefused)
        assert "redirect" in failure.reason
        assert len(server.seen) == 1

    async def test_an_answer_that_holds_nothing_is_worth_another_try(
        self, server: ContractServer, client: Client
    ) -> None:
        server.script(answer(200, b"[]"))
        assert isinstance(await self.failure(server.url, client), TransientFailure)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as opened:
        yield opened


@pytest.fixture
async def google() -> AsyncIterator[FakeGoogleSheets]:
    async with FakeGoogleSheets() as running:
        yield running


class Sender:
    """A target of the sheet."""

    def __init__(self, google: FakeGoogleSheets, client: Client, **options: Any) -> None:
        self.target = GoogleSheets("sales", GoogleSheetsOptions.model_validate(google.options(**options)))
        self._client = client

    async def send(self, key: str = KEY, *, delete: bool = False, **row: Any) -> Receipt:
        content: JsonObject = {"row": row, "delete": delete}
        return await self.target.send(Message(DELIVERY, key, content), KnownLinks(), self._client)

    async def failure(self, **row: Any) -> DeliveryFailure:
        with pytest.raises(DeliveryFailure) as caught:
            await self.send(**row)
        return caught.value


@pytest.fixture
def sender(google: FakeGoogleSheets, client: Client) -> Sender:
    return Sender(google, client)


# the life of a row


async def test_an_empty_sheet_gets_names_and_then_the_row(google: FakeGoogleSheets, sender: Sender) -> None:
    receipt = await sender.send(name="Padaria", amount=11050.5)
    assert receipt.excerpt == "a row was added"
    assert google.rows == [NAMES, [KEY, "Padaria", 11050.5]]
    assert google.lines() == ["read", "write", "append"]


async def test_a_later_message_changes_the_row_and_leaves_alone_what_it_does_not_name(
    google: FakeGoogleSheets, sender: Sender
) -> None:
    google.rows = [[*NAMES, "nota minha"], ["deal:1", "outra"], [KEY, "Padaria", 5, "ligar"]]
    receipt = await sender.send(amount=7)
    assert receipt.excerpt == "row 3 was written"
    assert google.rows[2] == [KEY, "Padaria", 7, "ligar"]
    assert google.lines() == ["read", "write"]


async def test_columns_are_found_by_their_names_wherever_they_are(google: FakeGoogleSheets, sender: Sender) -> None:
    google.rows = [["id", "amount", "", "name"]]
    await sender.send(name="Padaria", amount=7)
    assert google.rows[1] == [KEY, 7, "", "Padaria"]


async def test_a_row_that_people_have_moved_is_found(google: FakeGoogleSheets, sender: Sender) -> None:
    await sender.send(name="a")
    google.rows.insert(1, ["deal:1", "antes"])
    await sender.send(name="b")
    assert google.rows == [["key", "name"], ["deal:1", "antes"], [KEY, "b"]]


async def test_nothing_in_data_is_a_formula_and_types_stay(google: FakeGoogleSheets, sender: Sender) -> None:
    await sender.send(a="=1+1", b=True, c=None, d=["x"], e=2**60, f=[])
    assert google.rows[1] == [KEY, "=1+1", True, "", '["x"]', str(2**60), ""]


async def test_what_is_empty_empties_its_cell(google: FakeGoogleSheets, sender: Sender) -> None:
    google.rows = [NAMES, [KEY, "Padaria", 5]]
    await sender.send(amount=None)
    assert google.rows[1] == [KEY, "Padaria", ""]


async def test_a_row_is_emptied_and_comes_back(google: FakeGoogleSheets, sender: Sender) -> None:
    google.rows = [NAMES, [KEY, "Padaria", 5]]
    await sender.send(delete=True, name="(apagada)")
    assert google.rows[1] == [KEY, "(apagada)", ""]
    await sender.send(name="De volta")
    assert google.rows == [NAMES, [KEY, "De volta", ""]]


async def test_emptying_what_is_not_there_is_done_already(google: FakeGoogleSheets, sender: Sender) -> None:
    google.rows = [NAMES]
    assert (await sender.send(delete=True)).excerpt == "there is no row to empty"
    assert google.rows == [NAMES]


async def test_a_row_that_was_added_without_our_noting_it_is_not_added_again(
    google: FakeGoogleSheets, sender: Sender
) -> None:
    google.fail = lambda asked: Fault(lost=True, done=True) if asked.method == "POST" else None
    assert isinstance(await sender.failure(name="a"), UnknownOutcome)
    google.fail = lambda _: None
    await sender.send(name="b")
    assert google.rows == [["key", "name"], [KEY, "b"]]


async def test_two_targets_of_one_sheet_take_turns(google: FakeGoogleSheets, client: Client) -> None:
    google.rows = [["key", "name"]]
    senders = [Sender(google, client), Sender(google, client)]
    await asyncio.gather(*(senders[number % 2].send(name=str(number)) for number in range(10)))
    assert len(google.rows) == 2
    assert google.lines().count("append") == 1


async def test_a_column_that_is_not_there_is_told(google: FakeGoogleSheets, sender: Sender) -> None:
    google.rows = [NAMES]
    failure = await sender.failure(colour="red")
    assert isinstance(failure, PermanentFailure)
    assert failure.reason == 'row 1 of the sheet has no column "colour"'
    assert google.rows == [NAMES]


def test_the_column_of_the_keys_is_not_for_entries() -> None:
    assert missing(NAMES, {"key": 1, "name": 2}) == ["key"]


async def test_a_key_is_never_taken_for_a_name(google: FakeGoogleSheets, sender: Sender) -> None:
    google.rows = [["key", "name"]]
    await sender.send("key", name="a")
    assert google.rows == [["key", "name"], ["key", "a"]]


# the way in


async def test_a_service_account_asks_for_spreadsheets(google: FakeGoogleSheets, sender: Sender) -> None:
    await sender.send(name="a")
    assert [claim["scope"] for claim in google.claims] == ["https://www.googleapis.com/auth/spreadsheets"]


async def test_a_person_consents_with_a_refresh_token(google: FakeGoogleSheets, client: Client) -> None:
    consent = {
        "client_id": "c",
        "client_secret": "hush-1",
        "refresh_token": "hush-2",
        "token_url": f"{google.url}/token",
    }
    await Sender(google, client, service_account=None, consent=consent).send(name="a")
    assert [claim["grant_type"] for claim in google.claims] == ["refresh_token"]


async def test_a_token_that_ends_early_is_replaced_once_and_blotted_out(
    google: FakeGoogleSheets, sender: Sender
) -> None:
    await sender.send(name="a")
    google.tokens.append("ya29.another")
    await sender.send(name="b")
    assert len(google.tokens) == 3
    assert google.rows[1] == [KEY, "b"]
    assert sender.target.redactor.redacted("Bearer ya29.hush-2!") == "Bearer ***!"


# refusals


@pytest.mark.parametrize(
    ("status", "reason", "kind", "words"),
    [
        (400, "Unable to parse range: x", AccessRefused, "there is no sheet of that name"),
        (400, "Invalid value", PermanentFailure, "Invalid value"),
        (403, "The caller does not have permission", AccessRefused, "share the spreadsheet"),
        (403, "SERVICE_DISABLED", AccessRefused, "enable the Google Sheets API"),
        (403, "quota", TransientFailure, "quota"),
        (404, "notFound", AccessRefused, "share the spreadsheet"),
        (429, "quota", TransientFailure, "429"),
        (503, "unavailable", TransientFailure, "503"),
    ],
)
async def test_a_refusal_means_what_it_says(
    google: FakeGoogleSheets, sender: Sender, status: int, reason: str, kind: type[DeliveryFailure], words: str
) -> None:
    google.fail = lambda _: Fault(status, reason)
    failure = await sender.failure(name="a")
    assert type(failure) is kind
    assert words in failure.reason
    assert failure.status == status
    if isinstance(failure, TransientFailure):
        assert failure.throttled == (status < 500)


async def test_who_may_only_read_is_told_how_to_share(google: FakeGoogleSheets, sender: Sender) -> None:
    google.role = "reader"
    failure = await sender.failure(name="a")
    assert isinstance(failure, AccessRefused)
    assert "as an editor" in failure.reason


# what people see, and what the rules may say


async def test_a_probe_names_the_columns_and_writes_nothing(
    google: FakeGoogleSheets, sender: Sender, client: Client
) -> None:
    assert await sender.target.probe(client) == f'reads the sheet "{SHEET}", columns: none yet'
    google.rows = [["key", "name"]]
    assert await sender.target.probe(client) == f'reads the sheet "{SHEET}", columns: key, name'
    google.rows = [["", "name"]]
    with pytest.raises(AccessRefused, match="A1 is empty"):
        await sender.target.probe(client)
    assert set(google.lines()) == {"read"}


def test_it_goes_as_fast_as_google_lets_it_and_one_after_the_other(google: FakeGoogleSheets, client: Client) -> None:
    google.url = "https://sheets.example"
    limits = Sender(google, client).target.limits
    assert (limits.concurrency, limits.rate) == (1, Rate(60, 60.0))


@pytest.mark.parametrize(
    "written",
    [
        f"https://docs.google.com/spreadsheets/d/{SPREADSHEET}/edit?gid=0#gid=0",
        f"https://docs.google.com/spreadsheets/d/{SPREADSHEET}",
        SPREADSHEET,
    ],
)
def test_a_spreadsheet_is_named_by_its_address_or_its_id(written: str) -> None:
    assert _options(spreadsheet=written).spreadsheet == SPREADSHEET


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"spreadsheet": "https://docs.google.com/document/d/1AbCdEfGhIjKl"}, "address of a spreadsheet"),
        ({"spreadsheet": "a/b"}, "address of a spreadsheet"),
        ({"sheet": ""}, "at least 1"),
        ({"concurrency": 2}, "less than or equal to 1"),
        ({"service_account": None}, 'needs "service_account" or "consent"'),
    ],
)
def test_options_that_make_no_sense_are_refused(more: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        _options(**more)


def _options(**more: Any) -> GoogleSheetsOptions:
    known = {"spreadsheet": SPREADSHEET, "sheet": SHEET, "service_account": google_key("https://token.example")}
    return GoogleSheetsOptions.model_validate(known | more)


def test_a_stand_in_is_taken_for_a_spreadsheet() -> None:
    assert _options(spreadsheet=StandIns.value("SHEET")).spreadsheet


def test_an_entry_says_something() -> None:
    with pytest.raises(ValidationError, match='needs "row"'):
        GoogleSheetsAction.model_validate({})


def test_the_name_of_a_sheet_is_quoted_and_cells_are_cut() -> None:
    assert quoted("d'água") == "'d''água'"
    assert len(str(cell("x" * 60_000))) == 50_000


@given(st.lists(st.text() | st.integers()), st.text(min_size=1))
def test_a_key_is_found_where_it_is(column: list[Any], key: str) -> None:
    place = place_of(key, ["key", *column, key])
    assert place is not None
    assert 2 <= place <= len(column) + 2
    assert str(["key", *column, key][place - 1]) == key


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(key=st.text(min_size=1), row=st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES), delete=st.booleans())
def test_whatever_data_holds_is_a_row_that_the_contract_takes(key: str, row: dict[str, Any], *, delete: bool) -> None:
    written = cells(["key", "a", "b", "c"], key.encode("utf-8", "replace").decode(), row, delete=delete)
    body = json_body({"majorDimension": "ROWS", "values": [list(written)]})
    path = f"/v4/spreadsheets/{SPREADSHEET}/values/A2"
    headers = {"Content-Type": "application/json", "Authorization": "Bearer x"}
    asked = Asked("PUT", path, {"valueInputOption": "RAW"}, body, headers)
    assert GOOGLE_SHEETS.violations(asked) == []
