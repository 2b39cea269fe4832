"""One event or delivery in full, as a person reads it."""

import json
from collections.abc import Sequence

from bridge.cli.screen import clean, colour, dim, facts, indented, say
from bridge.cli.times import lasting, shown
from bridge.control.shapes import Shape
from bridge.model import Json


def entity_text(entity: Shape | None) -> str:
    """Return an entity as ``kind:id``."""
    return f"{entity['kind']}:{entity['id']}" if entity else ""


def event_text(event: Shape) -> str:
    """Return the name of an event, and how it came if that was by no webhook."""
    return event["name"] if event["origin"] == "webhook" else f"{event['name']} ({event['origin']})"


def reason_text(delivery: Shape) -> str:
    """Return why a delivery is as it is; of one that is told later, when as well."""
    until = f"; due {shown(delivery['due_at'])}" if delivery["state"] == "deferred" else ""
    return f"{delivery['reason'] or ''}{until}"


def show_event(event: Shape) -> None:
    """Print an event with its deliveries and their attempts."""
    say(f"{event['id']}  {clean(event_text(event))}  {colour(event['state'])}")
    facts(
        {
            "source": event["source"],
            "entity": entity_text(event["entity"]),
            "received": shown(event["received_at"]),
            "occurred": shown(event["occurred_at"]),
            "follows": event["preceding"],
            "reason": event["reason"],
        }
    )
    say("\nbody")
    say(_body(event["body"]))
    for delivery in event["deliveries"]:
        say()
        _delivery_head(delivery)
        show_attempts(delivery["attempts"])
    if not event["deliveries"]:
        say(f"\nno deliveries; why: bridge explain {event['id']}")


def _body(body: Json) -> str:
    if body is None:
        return dim("  not kept any more")
    return indented(body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False))


def show_delivery(delivery: Shape) -> None:
    """Print a delivery with its message and attempts."""
    _delivery_head(delivery)
    facts(
        {
            "event": delivery["event_id"],
            "key": delivery["key"],
            "created": shown(delivery["created_at"]),
            **(_schedule(delivery) if delivery["state"] in {"pending", "parked"} else {}),
        }
    )
    say("\nmessage")
    say(_message(delivery))
    say("\nattempts")
    show_attempts(delivery["attempts"])
    if not delivery["attempts"]:
        say(dim("  none yet"))


def _message(delivery: Shape) -> str:
    if delivery["preview"] is not None:
        return indented(delivery["preview"])
    if delivery["state"] == "deferred":
        return dim(f"  none yet; what it would be by now: bridge explain {delivery['event_id']}")
    early = delivery["state"] == "cancelled"
    return dim(f"  none: {'it was cancelled before there was one' if early else 'it could not be rendered'}")


def _schedule(delivery: Shape) -> Shape:
    """Return how the retry schedule of a delivery stands that waits."""
    return {
        "due": shown(delivery["due_at"]),
        "failures": delivery["failures"],
        "gives up": shown(delivery["give_up_at"]),
        "uncertain": "an attempt may have arrived" if delivery["uncertain"] else None,
    }


def show_attempts(attempts: Sequence[Shape]) -> None:
    """Print attempts, a line each, with what the service answered when it did not accept."""
    for attempt in attempts:
        told = [f"#{attempt['number']}", shown(attempt["started_at"]), colour(attempt["outcome"])]
        told += [str(attempt["status"] or ""), lasting(attempt["duration"]), clean(attempt["reason"] or "")]
        say("  " + "  ".join(filter(None, told)) + ("  (by a person)" if attempt["trigger"] == "person" else ""))
        if attempt["excerpt"] and attempt["outcome"] != "delivered":
            say(dim(indented(attempt["excerpt"], "     ")))


def _delivery_head(delivery: Shape) -> None:
    where = f"{clean(delivery['route'])} → {clean(delivery['target'])}"
    say(f"{delivery['id']}  {where}  {colour(delivery['state'])}")
    if reason := reason_text(delivery):
        say(f"  {clean(reason)}")
