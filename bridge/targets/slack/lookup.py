"""Finding a message in its channel by the delivery that it was posted for.

Each message carries its delivery's id as metadata (https://docs.slack.dev/messaging/message-metadata), which people do
not see.
"""

from datetime import datetime
from typing import Final

from bridge.component import Http
from bridge.model import JsonObject
from bridge.targets.slack.api import call, reply_of
from bridge.targets.slack.options import SlackOptions

EVENT_TYPE: Final = "bridge_delivery"
SKEW: Final = 120.0
"""Seconds that Slack's clock may be behind ours."""
PAGES: Final = 20
PAGE: Final = 15
"""Messages a page: Slack gives no more to apps that are not in its directory; and what is read must fit our limit."""


def marked(delivery_id: str) -> JsonObject:
    """Return the metadata by which a message can be found."""
    return {"event_type": EVENT_TYPE, "event_payload": {"delivery_id": delivery_id}}


async def find_message(
    options: SlackOptions, place: JsonObject, delivery_id: str, since: datetime, http: Http
) -> JsonObject | None:
    """Return the message that was posted for a delivery in a channel or thread, None if there is none.

    Raises:
        RefusedError: Slack does not let us look.
        DeliveryFailure: it could not be found out.
    """
    thread = place.get("thread_ts")
    method = "conversations.replies" if thread else "conversations.history"
    asked: JsonObject = {
        "channel": place["channel"],
        "oldest": f"{since.timestamp() - SKEW:.6f}",
        "include_all_metadata": True,
        "limit": PAGE,
        **({"ts": thread} if thread else {}),
    }
    for _ in range(PAGES):
        reply = reply_of(await call(options, method, asked, http))
        messages = reply.get("messages")
        for message in messages if isinstance(messages, list) else ():
            if isinstance(message, dict) and message.get("metadata") == marked(delivery_id):
                return message
        following = reply.get("response_metadata")
        cursor = following.get("next_cursor") if isinstance(following, dict) else None
        if not cursor:
            break
        asked["cursor"] = cursor
    return None
