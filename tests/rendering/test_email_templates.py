"""The mails that come with bridge, as their readers see them, and what any payload makes of them."""

import re
from collections.abc import Sequence
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from hypothesis import example, given, settings
from syrupy.assertion import SnapshotAssertion

from bridge.config import load
from bridge.model import DeliveryState, JsonObject
from bridge.options import StandIns
from bridge.routing.router import in_order
from bridge.targets.email import EmailAction, EmailOptions
from bridge.targets.email.composing import Stamp, body, letter, subject
from bridge.trial import MovedClock, Runner
from tests.support.changes import NOW, crm, event_of, webhook
from tests.support.clock import ManualClock
from tests.support.filling import ANY_TEXT, filled

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "email" / "routes.yaml"
SOURCE = crm()
OWNER = "marina@empresa.example"
TOLD_AT_ONCE = ("deal.lost", "deal.won", "task.created", "task.rescheduled", "contact.created")
LANGUAGES = {"pt": "", "en": "en/"}
RULES = load(EXAMPLE, StandIns(), ManualClock()).ruleset


@pytest.fixture(params=LANGUAGES)
def rules(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The example, with the templates of a language."""
    text = EXAMPLE.read_text("utf-8").replace("template: ", f"template: {LANGUAGES[request.param]}")
    (tmp_path / "routes.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "templates").symlink_to(ROOT / "templates")
    return tmp_path / "routes.yaml"


def actions(bodies: Sequence[JsonObject], path: Path | None = None) -> list[EmailAction]:
    """Return what is asked for at once after the last of some webhooks, each of which rendered."""
    ruleset = load(path, StandIns(), ManualClock()).ruleset if path else RULES
    events = [event_of(SOURCE, each, number) for number, each in enumerate(bodies, 1)]
    deliveries = list(in_order(ruleset.router.decide, events, {}))[-1].deliveries
    assert [delivery.reason for delivery in deliveries if delivery.state is DeliveryState.DEAD] == []
    return [EmailAction.model_validate(each.content) for each in deliveries if each.content is not None]


def test_every_template_has_its_twin_and_is_used() -> None:
    portuguese, english = (
        {path.name for path in (ROOT / "templates" / f"{each}email").iterdir()} for each in ("", "en/")
    )
    used = set(re.findall(r"template: email/(\S+)", EXAMPLE.read_text("utf-8")))
    assert portuguese == english == {*used, "partes.html.j2"}


@pytest.mark.parametrize("trigger", TOLD_AT_ONCE)
def test_what_a_mail_says(rules: Path, trigger: str, snapshot: SnapshotAssertion) -> None:
    [action] = actions(SOURCE.story(trigger, NOW), rules)
    text = re.sub(r"/deals/[0-9a-f]+", "/deals/ID", body(action))
    assert f"{subject(action.subject)}\n\n{text}" == snapshot


@pytest.mark.parametrize("trigger", ["deal.lost", "contact.created"])
def test_what_a_mail_says_of_next_to_nothing(rules: Path, trigger: str) -> None:
    kind, _, what = trigger.partition(".")
    bodies = [webhook(kind, "created", emails=[{"email": OWNER}])]
    if what == "lost":
        bodies = [webhook(kind, updated_at="2026-11-24T08:00:00.000-03:00"), webhook(kind, status="lost")]
    [action] = actions(bodies, rules)
    assert "None" not in body(action)
    assert ": \n" not in body(action)


def test_the_tests_of_the_example_pass_in_both_languages(rules: Path) -> None:
    clock = MovedClock()
    loaded = load(rules, StandIns(), clock)
    assert loaded.warnings == ()
    results = [Runner(loaded.ruleset, loaded.named, clock).run(trial) for trial in loaded.trials]
    assert {result.trial.name: result.failure for result in results if result.failure} == {}
    assert len(results) > 3


def test_an_owner_without_an_address_is_told_when_it_is_planned(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text(EXAMPLE.read_text("utf-8").replace(" or 'gestao@empresa.example' }}", " }}"), encoding="utf-8")
    (tmp_path / "templates").symlink_to(ROOT / "templates")
    ruleset = load(path, StandIns(), ManualClock()).ruleset
    times: dict[str, Any] = {
        "created_at": "2026-11-24T08:00:00.000-03:00",
        "updated_at": "2026-11-24T08:58:00.000-03:00",
    }
    bodies = [webhook("deal", **times, status="ongoing"), webhook("deal", status="won", user={"name": "Ana"})]
    events = [event_of(SOURCE, each, number) for number, each in enumerate(bodies, 1)]
    [delivery] = list(in_order(ruleset.router.decide, events, {}))[-1].deliveries
    assert delivery.state is DeliveryState.DEAD
    assert delivery.reason is not None
    assert '"recipients" gives nobody to send to' in delivery.reason


# any payload

EVIL = ("\r\nBcc: eve@evil.example", "<script>x</script>", '"><a href="https://evil.example">', "a, eve@evil.example")


def story(kind: str, text: str) -> list[JsonObject]:
    document = filled({**SOURCE.shapes[kind], "custom": None, "custom_fields": {}, "deal_custom_fields": []}, text)
    assert isinstance(document, dict)
    sound: JsonObject = {"id": "1", "created_at": "2026-11-24T08:00:00.000-03:00"}
    if kind == "deal":
        user = {"id": "1", "name": text, "email": OWNER}
        earlier, later = "2026-11-24T08:00:00.000-03:00", "2026-11-24T08:59:00.000-03:00"
        common: dict[str, Any] = {**document, **sound, "user": user}
        return [
            webhook(kind, **common | {"updated_at": at, "status": status})
            for at, status in ((earlier, "ongoing"), (later, "lost"))
        ]
    special: dict[str, JsonObject] = {
        "task": {"due_date": "2026-11-24T18:00:00-03:00", "owner_ids": ["5c954731d8fb6100335a00b6"], "status": "open"},
        "contact": {"emails": [{"email": OWNER}]},
    }
    return [webhook(kind, "created", **{**document, **sound, **special[kind]})]


def read(action: EmailAction) -> EmailMessage:
    options = EmailOptions.model_validate({"host": "mail.example.com", "from": "Vendas <bridge@empresa.example>"})
    made = letter(options, action, Stamp("<dlv_1@empresa.example>", NOW), None)
    return BytesParser(policy=default).parsebytes(made.content)


def tags(html: str) -> set[str]:
    return {each.name for each in BeautifulSoup(html, "html.parser").find_all(True)}


@pytest.mark.parametrize("kind", ["deal", "task", "contact"])
@settings(max_examples=60, deadline=None)
@given(text=ANY_TEXT)
@example(text=EVIL[0])
@example(text=EVIL[1])
@example(text=EVIL[2])
@example(text=EVIL[3])
def test_no_payload_adds_a_recipient_a_header_or_a_tag(kind: str, text: str) -> None:
    [action] = actions(story(kind, text))
    mail = read(action)
    assert [each.addr_spec for each in mail["To"].addresses] == [OWNER]
    copied = [each.addr_spec for each in mail["Cc"].addresses] if mail["Cc"] else []
    assert copied == (["gestao@empresa.example"] if kind == "deal" else [])
    assert set(mail.keys()) <= {
        *("From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
        *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
    }
    assert mail["Subject"] == subject(action.subject)
    part = mail.get_body(("html",))
    assert part is not None
    html = part.get_content()
    assert tags(html) <= {"h2", "p", "table", "tr", "th", "td", "a"}
    links = [each["href"] for each in BeautifulSoup(html, "html.parser").find_all("a")]
    assert all(str(link).startswith("https://crm.rdstation.com/") for link in links)
