"""Reads the body of a webhook, trusting nothing: what is no event of the CRM is refused in words for its operator."""

from typing import NamedTuple, NoReturn

import orjson

from bridge.errors import UnreadableWebhookError
from bridge.model import Action, Json, JsonObject
from bridge.rdstation.catalog import MEANINGS

MAX_DEPTH = 48
"""Levels of nesting; the CRM's documents have five."""
MAX_ID = 200
"""Characters of an id or uuid; the CRM's have 23 to 36."""

MAX_QUOTED = 80
FOUND_SINCE = "found_since"
"""Where the body of a webhook that was missed says since when edits were asked for; no webhook of the CRM holds it."""


class Webhook(NamedTuple):
    """A body that is an event of the CRM."""

    name: str
    kind: str
    action: Action
    id: str
    document: JsonObject
    uuid: str | None
    timestamp: Json
    found_since: Json = None


def parse(body: bytes) -> Webhook:
    """Read a body.

    Raises:
        UnreadableWebhookError: with the reason; nothing else, whatever the bytes are.
    """
    envelope = _object(body)
    _recognise_marketing(envelope)
    name = _name(envelope)
    kind, action = MEANINGS[name]
    document = envelope.get("document")
    if not isinstance(document, dict):
        _refuse(f'the event {name} has no object under "document"')
    uuid = envelope.get("transaction_uuid")
    if not isinstance(uuid, str) or not 0 < len(uuid) <= MAX_ID:
        uuid = None
    sent_at, since = envelope.get("event_timestamp"), envelope.get(FOUND_SINCE)
    return Webhook(name, kind, action, _id(name, document), document, uuid, sent_at, since)


def _refuse(reason: str) -> NoReturn:
    raise UnreadableWebhookError(reason)


def _object(body: bytes) -> JsonObject:
    try:
        envelope = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError) as error:
        reason = "the body is empty" if not body.strip() else f"the body is no JSON: {error}"
        raise UnreadableWebhookError(reason) from None
    if not isinstance(envelope, dict):
        _refuse("the body is JSON, but no object")
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        _check_depth(envelope)
    return envelope


def _check_depth(envelope: Json) -> None:
    """Refuse what is nested too deep for whatever reads it later."""
    level = [envelope]
    for _ in range(MAX_DEPTH):
        inside = [node.values() if isinstance(node, dict) else node for node in level if isinstance(node, dict | list)]
        level = [value for values in inside for value in values]
        if not level:
            return
    _refuse(f"the body is nested deeper than {MAX_DEPTH} levels")


def _recognise_marketing(envelope: JsonObject) -> None:
    kind = envelope.get("event_type")
    if (isinstance(kind, str) and kind.startswith("WEBHOOK.")) or isinstance(envelope.get("leads"), list):
        _refuse(
            "this webhook comes from RD Station Marketing, which is another product"
            + (f" (event {_quoted(kind)})" if isinstance(kind, str) else "")
            + ": remove its address there, and register it in RD Station CRM for the events of the CRM"
        )


def _name(envelope: JsonObject) -> str:
    name = envelope.get("event_name")
    if not isinstance(name, str) or not name:
        _refuse('the body has no "event_name": it is no event of RD Station CRM')
    if name not in MEANINGS:
        _refuse(f"the event {_quoted(name)} is none that this version of bridge knows")
    return name


def _id(name: str, document: JsonObject) -> str:
    """Return the document's id; a number is taken for the text that it is."""
    found = document.get("id")
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if not isinstance(found, str) or not found.strip():
        _refuse(f'the document of {name} has no "id"')
    if len(found) > MAX_ID:
        _refuse(f'the "id" of {name} is longer than {MAX_ID} characters')
    return found


def _quoted(text: str) -> str:
    return f'"{text[:MAX_QUOTED]}…"' if len(text) > MAX_QUOTED else f'"{text}"'
