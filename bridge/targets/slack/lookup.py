"""Finding a message in its channel by the delivery that it was posted for.

Each message carries its delivery's id as metadata (https://docs.slack.dev/messaging/message-metadata), which people do
not see; one with a chart, in the name of its file.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

from bridge.component import Http
from bridge.errors import UnknownOutcome
from bridge.model import Json, JsonObject
from bridge.targets.slack.api import ask
from bridge.targets.slack.options import SlackOptions
from bridge.targets.slack.refusals import NO_THREAD, RefusedError
from bridge.targets.slack.upload import name_of

EVENT_TYPE: Final = "bridge_delivery"
SKEW: Final = 120.0
"""Seconds that Slack's clock may be behind ours."""
PAGES: Final = 25
"""What is read of one channel at most: half of the questions that Slack takes a minute, and seconds of an attempt."""
PAGE: Final = 200
"""Messages a page, as Slack advises; it gives 15 at most to apps that are sold outside of its directory."""


def marked(delivery_id: str) -> JsonObject:
    """Return the metadata by which a message can be found."""
    return {"event_type": EVENT_TYPE, "event_payload": {"delivery_id": delivery_id}}


async def find_message(
    options: SlackOptions, place: JsonObject, delivery_id: str, since: datetime, http: Http
) -> tuple[JsonObject, JsonObject] | None:
    """Return where the message is that was posted for a delivery, and the message; None if there is none.

    There is none only where all was read that was posted since. One that was meant for a thread may be in the channel:
    there it goes when the thread is gone or closed.

    Raises:
        RefusedError: Slack does not let us look.
        DeliveryFailure: it could not be found out.
    """
    channel: JsonObject = {"channel": place["channel"]}
    for where in (place, channel) if "thread_ts" in place else (channel,):
        async for message in _messages(options, where, since, http):
            if _delivery_of(message) == delivery_id or name_of(delivery_id) in _files_of(message):
                return where, message
    return None


async def _messages(options: SlackOptions, where: JsonObject, since: datetime, http: Http) -> AsyncIterator[JsonObject]:
    """Yield what was posted in a channel or thread since a moment; nothing of a thread that is gone.

    Raises:
        UnknownOutcome: it does not end, so what was not seen may be there all the same.
    """
    thread = where.get("thread_ts")
    method = "conversations.replies" if thread else "conversations.history"
    asked = {
        "channel": str(where["channel"]),
        "oldest": f"{since.timestamp() - SKEW:.6f}",
        "include_all_metadata": "true",
        "limit": str(PAGE),
        **({"ts": str(thread)} if thread else {}),
    }
    for _ in range(PAGES):
        try:
            reply = await ask(options, method, asked, http)
        except RefusedError as refusal:
            if thread and refusal.word in NO_THREAD:
                return
            raise
        for message in _listed(reply):
            yield message
        cursor = _cursor(reply)
        if not cursor:
            return
        asked["cursor"] = cursor
    place = "thread" if thread else "channel"
    raise UnknownOutcome(f"it may have arrived: more was posted since in its {place} than can be looked through")


def _listed(reply: JsonObject) -> list[JsonObject]:
    messages = reply.get("messages")
    if not isinstance(messages, list):
        raise UnknownOutcome("the answer is not one of Slack's")
    return [message for message in messages if isinstance(message, dict)]


def _cursor(reply: JsonObject) -> str | None:
    following = reply.get("response_metadata")
    cursor = following.get("next_cursor") if isinstance(following, dict) else None
    return cursor if isinstance(cursor, str) else None


def _files_of(message: JsonObject) -> list[Json]:
    files = message.get("files")
    return [file.get("name") for file in files if isinstance(file, dict)] if isinstance(files, list) else []


def _delivery_of(message: JsonObject) -> Json:
    metadata = message.get("metadata")
    payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
    return payload.get("delivery_id") if isinstance(payload, dict) else None
