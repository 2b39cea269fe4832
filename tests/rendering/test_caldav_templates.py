"""What the example for CalDAV makes of any payload: objects that a server takes."""

import asyncio
from pathlib import Path

import pytest
import vobject
from hypothesis import given, settings
from hypothesis import strategies as st
from radicale.item import check_and_sanitize_items

from bridge.component import Answer, Request
from bridge.config import load
from bridge.model import Json, JsonObject, Message
from bridge.routing.router import in_order
from bridge.targets.caldav import Caldav
from bridge.trial import MovedClock
from bridge.trial.service import PlayedHttp
from tests.contracts.target import KnownLinks
from tests.support.changes import crm, event_of, webhook
from tests.support.clock import ManualClock

EXAMPLE = Path(__file__).parents[2] / "examples" / "tasks-to-nextcloud" / "routes.yaml"
VARIABLES = {"CALDAV_URL": "https://dav.example", "CALDAV_USER": "vendas", "CALDAV_PASSWORD": "hush"}
RULES = load(EXAMPLE, VARIABLES, ManualClock()).ruleset
SOURCE = crm()
ANY_TEXT = st.text(st.sampled_from(',;:\\\n\r"<>é😀\x85N n'), max_size=40) | st.text(max_size=40)
DUE = "2026-11-24T18:00:00-03:00"


class Listening(PlayedHttp):
    """The way out to a calendar that takes everything, with what was written to it."""

    def __init__(self, target: Caldav) -> None:
        super().__init__(target, (), MovedClock())
        self.written: list[str] = []

    async def call(self, request: Request) -> Answer:
        if request.method == "PUT":
            self.written.append((request.body or b"").decode())
        return await super().call(request)


def filled(shape: Json, text: str) -> Json:
    """Return a document of a shape with a text wherever one may stand."""
    if isinstance(shape, dict):
        return {key: filled(value, text) for key, value in shape.items()}
    return [filled(item, text) for item in shape] if isinstance(shape, list) else text


async def written(body: JsonObject) -> list[str]:
    """Send what the example makes of a webhook."""
    target = RULES.targets["agenda"]
    assert isinstance(target, Caldav)
    service, links = Listening(target), KnownLinks()
    for delivery in next(iter(in_order(RULES.router.decide, [event_of(SOURCE, body)], {}))).deliveries:
        assert delivery.reason is None, delivery.reason
        assert delivery.content is not None
        links.keep(await target.send(Message(delivery.id, delivery.key, delivery.content), links, service))
    return service.written


@pytest.mark.parametrize(("kind", "component"), [("meeting", "vevent"), ("call", "vtodo")])
@settings(max_examples=60, deadline=None)
@given(text=ANY_TEXT)
def test_any_text_in_a_payload_makes_an_object_that_a_server_takes(kind: str, component: str, text: str) -> None:
    document = filled(SOURCE.shapes["task"], text)
    assert isinstance(document, dict)
    fixed = {"id": "1", "status": "open", "type": kind, "due_date": DUE, "completed_at": None}
    (body,) = asyncio.run(written(webhook("task", "created", **{**document, **fixed})))
    whole = vobject.readOne(body)
    check_and_sanitize_items([whole], max_vevent_rrule_occurrence=1000, tag="VCALENDAR")
    assert [child.name.lower() for child in whole.components()] == [component]
