"""The messages for chats that come with bridge: what any payload makes of them keeps to their service's contract."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import example, given, settings
from yarl import URL

from bridge.component import Answer, AnyTarget, Request
from bridge.config import load
from bridge.model import JsonObject, Link, Message
from bridge.ruleset import Ruleset
from tests.contracts.target import KnownLinks
from tests.docs.fragments import outside
from tests.support.changes import crm, event_of, webhook
from tests.support.chat_contracts import (
    discord_violations,
    teams_violations,
    telegram_violations,
    whatsapp_violations,
)
from tests.support.clock import ManualClock
from tests.support.contract_server import Seen, schema_violations
from tests.support.filling import ANY_TEXT, filled

ROOT = Path(__file__).parents[2]
SOURCE = crm()
LANGUAGES = {"pt": "", "en": "en/"}
EVIL = (
    '"}], "x": [',
    "{{ 7 * 7 }}",
    "<!channel> <https://evil.example|x>",
    "@everyone **x**",
    "\\",
    "</b><a href='x'>",
)


class Chat(NamedTuple):
    """An example whose messages go to a chat, and what finds a violation in a request for it."""

    example: str
    violations: Callable[[Request], Sequence[str]]


def slack_violations(request: Request) -> list[str]:
    kinds = {"chat.postMessage": "ChatPostMessageArguments", "chat.update": "ChatUpdateArguments"}
    method = request.url.rpartition("/")[2]
    return schema_violations(kinds[method], json.loads(request.body or b"")) if method in kinds else []


def held_to(violations: Callable[[Seen], list[str]]) -> Callable[[Request], list[str]]:
    """Return what finds a violation in a request that did not leave."""

    def found(request: Request) -> list[str]:
        headers = {name.lower(): value for name, value in request.headers.items()}
        return violations(Seen(request.method, str(URL(request.url).relative()), headers, request.body or b""))

    return found


CHATS: Final[Mapping[str, Chat]] = {
    "slack": Chat("deal-in-one-message", slack_violations),
    "discord": Chat("discord", held_to(discord_violations)),
    "telegram": Chat("telegram", held_to(telegram_violations)),
    "teams": Chat("teams", held_to(teams_violations)),
    "whatsapp": Chat("whatsapp", held_to(whatsapp_violations)),
}


class Playing:
    """Accepts everything, and keeps what it was asked."""

    def __init__(self, target: AnyTarget) -> None:
        self.target = target
        self.seen: list[Request] = []

    async def call(self, request: Request) -> Answer:
        self.seen.append(request)
        return self.target.accepted(request, len(self.seen))

    deliver = call


def rules(chat: Chat, language: str, folder: Path) -> Ruleset:
    """Return the rules of an example, with the templates of a language."""
    path = ROOT / "examples" / chat.example / "routes.yaml"
    text, environ = outside(path.read_text("utf-8").replace("template: ", f"template: {language}"), folder)
    (folder / "routes.yaml").write_text(text, encoding="utf-8")
    if not (folder / "templates").exists():
        (folder / "templates").symlink_to(ROOT / "templates")
    return load(folder / "routes.yaml", environ, ManualClock()).ruleset


@pytest.fixture(scope="module")
def rulesets(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Ruleset]:
    return {
        (kind, name): rules(chat, folder, tmp_path_factory.mktemp(f"{kind}-{name}"))
        for kind, chat in CHATS.items()
        for name, folder in LANGUAGES.items()
    }


def story(kind: str, text: str) -> list[JsonObject]:
    """Return the webhooks of a deal that is lost, or of another entity that is made, with a text all over."""
    document = filled({**SOURCE.shapes[kind], "custom": None, "custom_fields": {}, "deal_custom_fields": []}, text)
    assert isinstance(document, dict)
    sound: dict[str, Any] = {**document, "id": "1", "created_at": "2026-11-24T08:00:00.000-03:00"}
    if kind == "deal":
        earlier, later = "2026-11-24T08:00:00.000-03:00", "2026-11-24T08:59:00.000-03:00"
        return [
            webhook(kind, **sound | {"updated_at": at, "status": status})
            for at, status in ((earlier, "ongoing"), (later, "lost"))
        ]
    special: dict[str, JsonObject] = {
        "task": {"due_date": "2026-11-24T18:00:00-03:00", "status": "open"},
        "contact": {"phones": [{"phone": "(11) 98765-4321"}]},
    }
    return [webhook(kind, "created", **sound | special[kind])]


def contents(ruleset: Ruleset, bodies: Sequence[JsonObject]) -> Iterator[tuple[AnyTarget, JsonObject]]:
    """Yield what is asked of which target after some webhooks, each of which rendered."""
    last = None
    for number, each in enumerate(bodies, 1):
        event = event_of(SOURCE, each, number)
        for route in ruleset.router.explain(event, last).routes:
            for planned in route.deliveries:
                assert planned.error is None
                assert planned.content is not None
                yield ruleset.targets[planned.target], planned.content
        last = ruleset.router.decide(event, last).entity_state or last


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CHATS)
@pytest.mark.parametrize("kind", ["deal", "task", "contact"])
@settings(max_examples=40, deadline=None)
@given(text=ANY_TEXT)
@example(text=EVIL[0])
@example(text=EVIL[1])
@example(text=EVIL[2])
@example(text=EVIL[3])
@example(text=EVIL[4])
@example(text=EVIL[5])
def test_any_payload_makes_what_its_service_accepts(
    rulesets: dict[tuple[str, str], Ruleset], kind: str, name: str, language: str, text: str
) -> None:
    for target, content in contents(rulesets[name, language], story(kind, text)):
        http = Playing(target)
        made = KnownLinks(Link(target.name, "deal:1", "17"))
        asyncio.run(target.send(Message("dlv_1", "deal:1", content), made, http))
        assert [told for request in http.seen for told in CHATS[name].violations(request)] == []
        assert target.preview(content)
