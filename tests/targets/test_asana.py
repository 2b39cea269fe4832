import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.component import AnyTarget
from bridge.component.client import Client
from bridge.component.marks import mark_in, mark_of
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject, Link, Message, Receipt
from bridge.options import StandIns
from bridge.targets.asana import Asana, AsanaAction, AsanaOptions
from bridge.targets.asana.options import SOME_PROJECT
from bridge.targets.asana.text import LONGEST, line, marked, within
from tests.contracts.http_target import HttpTargetContract
from tests.contracts.target import DELIVERY, KnownLinks
from tests.support.asana import CONTRACT, PROJECT, TOKEN, FakeAsana, Fault
from tests.support.contract_server import ContractServer, Step, answer, says
from tests.support.openapi import Asked

KEY = "deal:65"
MARK = mark_of(KEY)
TASK: dict[str, Any] = {"name": "Padaria Estrela", "notes": "Ligar\nhoje"}
LIST, MAKE, CHANGE, READ = "GET /tasks", "POST /tasks", "PUT /tasks/ID", "GET /tasks/ID"
MOVE, COMMENT, STORIES, DELETE = (
    "POST /sections/ID/addTask",
    "POST /tasks/ID/stories",
    "GET /tasks/ID/stories",
    "DELETE /tasks/ID",
)
SECTIONS, FIELDS = "GET /projects/ID/sections", "GET /projects/ID/custom_field_settings"
LONG_AGO = datetime.now(UTC) - timedelta(minutes=1)


class TestContract(HttpTargetContract):
    type_name = "asana"
    content: ClassVar[JsonObject] = TASK
    seen_by_people = "Padaria Estrela"
    secrets = (TOKEN,)

    def build(self, url: str, timeout: float = 15) -> AnyTarget:
        options = {"token": TOKEN, "project": PROJECT, "api_url": url, "timeout": timeout}
        return Asana("sales", AsanaOptions.model_validate(options))

    def links(self) -> KnownLinks:
        return KnownLinks(Link("sales", "deal:1", "1000000000000001", {"project": PROJECT}))

    def accepted(self) -> Step:
        return says({"data": {"gid": "1000000000000001"}})

    async def test_every_status_has_its_meaning(self, server: ContractServer, client: Client) -> None:
        later = {408, 425, 429, *range(500, 600)}
        for status in range(300, 600):
            server.script(answer(status, b"no"))
            failure = await self.failure(server.url, client)
            refused = AccessRefused if status in {401, 404, 410} else PermanentFailure
            assert type(failure) is (TransientFailure if status in later else refused), status


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as opened:
        yield opened


@pytest.fixture
async def asana() -> AsyncIterator[FakeAsana]:
    async with FakeAsana() as running:
        yield running


class Sender:
    """A target, with the links that its receipts left."""

    def __init__(self, asana: FakeAsana, client: Client, **options: Any) -> None:
        self.target = Asana("sales", AsanaOptions.model_validate(asana.options(**options)))
        self.links, self._client = KnownLinks(), client

    async def send(self, key: str = KEY, **content: Any) -> Receipt:
        receipt = await self.target.send(Message(DELIVERY, key, content), self.links, self._client)
        self.links.keep(receipt)
        return receipt

    async def look_up(self, **content: Any) -> Receipt | None:
        return await self.target.look_up(Message(DELIVERY, KEY, content), LONG_AGO, self.links, self._client)

    async def failure(self, **content: Any) -> DeliveryFailure:
        with pytest.raises(DeliveryFailure) as caught:
            await self.send(**content)
        return caught.value


@pytest.fixture
def sender(asana: FakeAsana, client: Client) -> Sender:
    return Sender(asana, client)


# The life of a task


async def test_a_task_is_made_with_its_mark(asana: FakeAsana, sender: Sender) -> None:
    receipt = await sender.send(**TASK)
    assert asana.lines == [LIST, MAKE]
    assert (asana.task["name"], asana.task["notes"]) == ("Padaria Estrela", f"Ligar\nhoje\n\n{MARK}")
    assert asana.task["section"] == "Novas"
    (link,) = receipt.links
    assert link.external_id == asana.task["gid"]
    assert link.data == {"project": PROJECT, "url": f"https://app.asana.com/0/{PROJECT}/{link.external_id}"}
    assert receipt.excerpt == f"made {link.data['url']}"


async def test_a_later_message_changes_it_and_leaves_alone_what_it_does_not_name(
    asana: FakeAsana, sender: Sender
) -> None:
    await sender.send(**TASK, assignee="ana@empresa.example", due="2026-12-24")
    asana.task["liked"] = True
    await sender.send(name="Padaria Lua")
    assert asana.lines[-1] == CHANGE
    assert (asana.task["name"], asana.task["liked"], asana.task["due_on"]) == ("Padaria Lua", True, "2026-12-24")
    assert asana.task["notes"].startswith("Ligar")
    assert asana.task["assignee"] == "5001"


async def test_it_is_moved_completed_and_opened_again(asana: FakeAsana, sender: Sender) -> None:
    await sender.send(**TASK, section="novas")
    await sender.send(section="Ganhas", completed=True)
    assert (asana.task["section"], asana.task["completed"]) == ("Ganhas", True)
    await sender.send(section="6003", completed=False)
    assert (asana.task["section"], asana.task["completed"]) == ("Perdidas", False)
    assert asana.lines == [SECTIONS, SECTIONS, LIST, MAKE, MOVE, CHANGE, MOVE, CHANGE, MOVE]


async def test_moving_alone_writes_nothing_else(asana: FakeAsana, sender: Sender) -> None:
    await sender.send(**TASK)
    await sender.send(section="6002")
    assert asana.lines[2:] == [READ, MOVE]


async def test_new_tasks_go_to_the_section_of_the_target(asana: FakeAsana, client: Client) -> None:
    await Sender(asana, client, section="Ganhas").send(**TASK)
    assert asana.task["section"] == "Ganhas"


async def test_a_task_that_was_not_moved_in_time_goes_to_its_section_later(asana: FakeAsana, client: Client) -> None:
    sender = Sender(asana, client, section="Ganhas")
    asana.fail = lambda asked: Fault(503) if "/addTask" in asked.path else None
    await sender.failure(**TASK)
    assert asana.task["section"] == "Novas"
    asana.fail = lambda _: None
    await sender.send(**TASK)
    assert asana.task["section"] == "Ganhas"


async def test_it_is_deleted_and_made_anew(asana: FakeAsana, sender: Sender) -> None:
    await sender.send(**TASK)
    assert (await sender.send(deleted=True)).excerpt == "deleted"
    assert asana.tasks == {}
    assert (await sender.send(deleted=True)).excerpt == "there is no task to delete"
    await sender.send(**TASK)
    assert asana.task["name"] == "Padaria Estrela"
    assert asana.lines == [LIST, MAKE, DELETE, DELETE, CHANGE, LIST, MAKE]


async def test_a_task_that_was_made_without_our_noting_it_is_found_by_its_mark(
    asana: FakeAsana, sender: Sender
) -> None:
    for number in range(5):  # others, on several pages
        await sender.send(f"deal:{number}", name="Outra")
    asana.fail = lambda asked: Fault(lost=True, done=True) if asked.method == "POST" else None
    assert isinstance(await sender.failure(**TASK), UnknownOutcome)
    asana.fail = lambda _: None
    await sender.send(**TASK)
    assert [task["name"] for task in asana.tasks.values()].count("Padaria Estrela") == 1
    assert asana.lines[-1] == CHANGE


async def test_all_tasks_are_read_once_and_then_those_that_changed(asana: FakeAsana, sender: Sender) -> None:
    for number in range(3):
        await sender.send(f"deal:{number}", name="Outra")
    for task in asana.tasks.values():
        task["modified_at"] = "2026-11-24T12:00:00.000Z"
    asana.asked.clear()
    other = Sender(asana, sender._client)
    await other.send("deal:7", name="Outra")
    await other.send("deal:8", name="Outra")
    first_pages = [asked for asked in asana.asked if asked.method == "GET" and "offset" not in asked.query]
    since = [asked.query.get("modified_since") for asked in first_pages]
    assert since == [None, "2026-11-24T11:55:00+00:00"]


async def test_a_task_that_is_not_there_is_only_made_under_a_name(asana: FakeAsana, sender: Sender) -> None:
    receipt = await sender.send(completed=True)
    assert receipt.excerpt == "there is no task of this key, and the entry makes none"
    assert asana.tasks == {}


async def test_a_task_that_a_person_deleted_is_made_again_or_told_of(asana: FakeAsana, sender: Sender) -> None:
    await sender.send(**TASK)
    asana.tasks.clear()
    failure = await sender.failure(completed=True)
    assert isinstance(failure, PermanentFailure)
    assert failure.reason.startswith("the task is gone")
    await sender.send(**TASK)
    assert asana.task["name"] == "Padaria Estrela"


async def test_a_link_to_another_project_is_over(asana: FakeAsana, sender: Sender) -> None:
    sender.links.kept[KEY] = Link("sales", KEY, "1", {"project": "1204000000000009"})
    await sender.send(**TASK)
    assert asana.lines == [LIST, MAKE]


# Comments


async def test_a_comment_comes_last_and_is_noted(asana: FakeAsana, sender: Sender) -> None:
    receipt = await sender.send(**TASK, comment="Perdida")
    assert asana.lines == [LIST, MAKE, COMMENT]
    (stories,) = asana.stories.values()
    assert receipt.links[0].data["comment"] == stories[0]["gid"]


@pytest.mark.parametrize("fault", [Fault(lost=True, done=True), Fault(500, done=True)])
async def test_a_comment_whose_answer_was_lost_is_found_by_its_words(
    asana: FakeAsana, sender: Sender, fault: Fault
) -> None:
    await sender.send(**TASK, comment="Perdida")
    asana.fail = lambda asked: fault if asked.path.endswith("/stories") else None
    assert isinstance(await sender.failure(comment="Perdida"), UnknownOutcome)
    asana.fail = lambda _: None
    found = await sender.look_up(comment="Perdida")
    assert found is not None
    (stories,) = asana.stories.values()
    assert found.links[0].data["comment"] == stories[1]["gid"]
    sender.links.keep(found)
    assert await sender.look_up(comment="Perdida") is None, "one that is known is of an earlier message"


async def test_a_comment_that_never_arrived_is_not_found(asana: FakeAsana, sender: Sender) -> None:
    await sender.send(**TASK)
    asana.fail = lambda asked: Fault(lost=True) if asked.path.endswith("/stories") else None
    await sender.failure(comment="Perdida")
    asana.fail = lambda _: None
    assert await sender.look_up(comment="Perdida") is None
    assert await sender.look_up(completed=True) is None
    asana.tasks.clear()
    assert await sender.look_up(comment="Perdida") is None


# Names and values


async def test_names_are_asked_for_once(asana: FakeAsana, sender: Sender) -> None:
    for number in range(3):
        await sender.send(f"deal:{number}", **TASK, section="Ganhas", assignee="ana@empresa.example")
    assert asana.lines.count("GET /users/ana@empresa.example") == 1
    assert asana.lines.count(SECTIONS) == 2, "it has two pages"


async def test_a_section_that_is_not_there_is_told_with_the_nearest(asana: FakeAsana, sender: Sender) -> None:
    failure = await sender.failure(**TASK, section="Ganha")
    assert isinstance(failure, PermanentFailure)
    assert failure.reason == 'the project has no section "Ganha"; did you mean "Ganhas"?'
    asana.sections["6004"] = "Ganha"
    await sender.send(**TASK, section="Ganha")
    assert asana.task["section"] == "Ganha"


async def test_whom_asana_does_not_know_keeps_no_task_from_being_made(asana: FakeAsana, client: Client) -> None:
    sender = Sender(asana, client, people={"Rui Costa": "rui@empresa.example"})
    receipt = await sender.send(**TASK, assignee="eva@empresa.example")
    assert "assignee" not in asana.task
    assert receipt.excerpt.startswith('nobody at Asana is known as "eva@empresa.example"; made')
    await sender.send(assignee="rui costa")
    assert asana.task["assignee"] == "5002"
    await sender.send(assignee="Eva")
    assert asana.task["assignee"] == "5002"
    await sender.send(assignee="")
    assert asana.task["assignee"] is None


async def test_data_cannot_ask_for_anything_but_a_person(asana: FakeAsana, sender: Sender) -> None:
    await sender.send(**TASK, assignee="a@b/../../tasks?x")
    assert asana.lines[0] == "GET /users/a@b/../../tasks?x", "all of it is one segment"
    asana.violations.clear()  # the contract has no such path, unquoted


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        ("2026-12-24", {"due_on": "2026-12-24"}),
        ("2026-12-24T15:00-03:00", {"due_at": "2026-12-24T18:00:00.000Z"}),
        ("2026-12-24T15:00", {"due_at": "2026-12-24T18:00:00.000Z"}),
        ("", {"due_on": None}),
    ],
)
async def test_a_due_date_is_a_day_or_a_moment(
    asana: FakeAsana, sender: Sender, due: str, expected: JsonObject
) -> None:
    await sender.send(**TASK, due="2026-01-01T10:00")
    await sender.send(due=due)
    assert {name: value for name, value in asana.task.items() if name.startswith("due")} == expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Valor", 11050.5, {"7001": 11050.5}),
        ("Valor", "12", {"7001": 12.0}),
        ("origem", "site", {"7002": "8001"}),
        ("Produtos", ["Site", "", "Indicação"], {"7003": ["8001", "8002"]}),
        ("Produtos", "Site", {"7003": ["8001"]}),
        ("Código", 7, {"7004": "7"}),
        ("7004", "x", {"7004": "x"}),
        ("Fechamento", "2026-12-24T23:00-03:00", {"7005": {"date": "2026-12-24"}}),
        ("Código", "", {"7004": None}),
        ("Produtos", [], {"7003": None}),
        ("Valor", None, {"7001": None}),
    ],
)
async def test_a_custom_field_takes_its_kind_of_value(
    asana: FakeAsana, sender: Sender, name: str, value: object, expected: JsonObject
) -> None:
    await sender.send(**TASK)
    await sender.send(custom_fields={name: value})
    assert asana.task["custom_fields"] == expected


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("Nada", "x", 'has no custom field "Nada"'),
        ("Valor", "muito", 'the custom field "Valor" takes a number'),
        ("Origem", "Sitio", 'takes no option "Sitio"; did you mean "Site"?'),
        ("Fechamento", "logo", "takes a day"),
        ("Donos", "x", "of the kind people"),
    ],
)
async def test_a_value_that_a_custom_field_does_not_take_is_told(
    sender: Sender, name: str, value: object, words: str
) -> None:
    failure = await sender.failure(**TASK, custom_fields={name: value})
    assert isinstance(failure, PermanentFailure)
    assert words in failure.reason


# Refusals


async def test_a_token_that_was_revoked_stops_the_target(asana: FakeAsana, client: Client) -> None:
    failure = await Sender(asana, client, token="1/other").failure(**TASK)
    assert isinstance(failure, AccessRefused)
    assert failure.reason.startswith("Asana refused it: Not Authorized (make a new token at")


async def test_a_project_that_is_not_there_stops_the_target(asana: FakeAsana, client: Client) -> None:
    sender = Sender(asana, client, project="1204000000000009")
    for content in ({"section": "Ganhas"}, {}):
        failure = await sender.failure(**TASK, **content)
        assert isinstance(failure, AccessRefused)
        assert "no such project" in failure.reason


async def test_a_task_that_may_not_be_seen_does_not_stop_the_target(asana: FakeAsana, sender: Sender) -> None:
    await sender.send(**TASK)
    asana.fail = lambda _: Fault(403, "Forbidden")
    failure = await sender.failure(**TASK)
    assert isinstance(failure, PermanentFailure)
    assert "moved to where the token may not see it" in failure.reason


async def test_a_feature_of_another_plan_is_named(asana: FakeAsana, sender: Sender) -> None:
    asana.fail = lambda _: Fault(402, "Payment Required")
    failure = await sender.failure(**TASK)
    assert "the plan of the workspace has no such feature" in failure.reason


async def test_too_fast_is_told_in_asanas_words(asana: FakeAsana, sender: Sender) -> None:
    asana.fail = lambda _: Fault(429, "You have made too many requests recently.")
    failure = await sender.failure(**TASK)
    assert isinstance(failure, TransientFailure)
    assert failure.throttled
    assert failure.reason == "Asana says 429: You have made too many requests recently."


async def test_a_probe_asks_for_the_project_and_the_section(asana: FakeAsana, client: Client) -> None:
    assert await Sender(asana, client).target.probe(client) == 'sees the project "Vendas"'
    told = await Sender(asana, client, section="Ganhas").target.probe(client)
    assert told == 'sees the project "Vendas", new tasks go to the section "Ganhas"'
    asana.archived = True
    with pytest.raises(AccessRefused, match="is archived"):
        await Sender(asana, client).target.probe(client)
    with pytest.raises(AccessRefused, match="no such project"):
        await Sender(asana, client, project="1204000000000009").target.probe(client)
    assert {asked.method for asked in asana.asked} == {"GET"}


# What cannot be


@pytest.mark.parametrize(
    "project",
    [
        PROJECT,
        f"https://app.asana.com/0/{PROJECT}/list",
        f"https://app.asana.com/1/1200/project/{PROJECT}/board/7?focus=true",
    ],
)
def test_a_project_is_known_by_its_address_or_its_id(project: str) -> None:
    assert AsanaOptions.model_validate({"token": "a", "project": project}).project == PROJECT


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"project": "Vendas"}, "address of the project"),
        ({"project": "https://app.asana.com/home"}, "address of the project"),
        ({"token": "hush hush"}, "one word"),
        ({"token": "hush\n"}, "one word"),
        ({"timezone": "Nowhere"}, "time zone"),
    ],
)
def test_options_that_cannot_work_are_refused(options: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        AsanaOptions.model_validate({"token": "a", "project": PROJECT} | options)
    assert "hush" not in str(caught.value)


def test_where_there_is_no_project_another_stands_in() -> None:
    options = AsanaOptions.model_validate({"token": "a", "project": StandIns.value("PROJECT")})
    assert options.project == SOME_PROJECT


@pytest.mark.parametrize(("content", "words"), [({}, "asks for nothing"), ({"due": "soon"}, "must be a day")])
def test_an_entry_that_makes_no_sense_is_refused(content: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        AsanaAction.model_validate(content)


@given(st.text(), st.text())
def test_any_text_keeps_within_the_limits_and_has_its_mark_last(text: str, name: str) -> None:
    notes = marked(text * 9_000, MARK)
    assert mark_in(notes) == MARK
    assert len(notes.encode("utf-8", "replace")) <= LONGEST
    body = json.dumps({"data": {"name": line(name), "notes": notes, "projects": [PROJECT]}}).encode()
    headers = {"Content-Type": "application/json"}
    assert CONTRACT.violations(Asked("POST", "/tasks", {}, body, headers)) == []


def test_what_is_too_long_is_cut_visibly() -> None:
    assert within("é" * 40_000) == "é" * 32_498 + "…"
    assert line("x" * 2000) == "x" * 1023 + "…"


def test_the_contract_refuses_what_is_no_task() -> None:
    body = json.dumps({"data": {"name": 5}}).encode()
    found = CONTRACT.violations(Asked("POST", "/tasks", {"colour": "x"}, body, {"Content-Type": "application/json"}))
    assert len(found) == 2


@pytest.mark.parametrize(
    ("content", "replaces"),
    [({"completed": True}, True), ({"section": "Ganhas"}, True), (TASK, False), ({"comment": "x"}, False)],
)
def test_only_what_changes_a_task_may_be_left_out_for_a_newer_one(content: JsonObject, *, replaces: bool) -> None:
    target = Asana("sales", AsanaOptions.model_validate({"token": "a", "project": PROJECT}))
    assert target.upserts(content) is replaces
    assert target.looks_up


def test_a_preview_shows_the_task_from_the_top_down() -> None:
    target = Asana("sales", AsanaOptions.model_validate({"token": "a", "project": PROJECT}))
    content: JsonObject = {**TASK, "section": "Ganhas", "completed": True, "due": "", "custom_fields": {"Valor": 5}}
    assert target.preview({**content, "comment": "Oba"}) == (
        "Padaria Estrela\nsection: Ganhas\ndue: —\ncompleted: true\nValor: 5\n\nLigar\nhoje\n\ncomment: Oba"
    )
