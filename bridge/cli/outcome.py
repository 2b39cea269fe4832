"""What became of a webhook that was sent, and what to try next."""

from collections.abc import Sequence

from bridge.cli.details import reason_text, show_attempts
from bridge.cli.explanation import FIRST_SIGHT, refusals
from bridge.cli.screen import clean, colour, dim, say
from bridge.control.shapes import Shape

_WHY = {
    "received": "It is stored, and not routed yet.",
    "duplicate": "The same change came before, so nothing was sent.",
    "stale": "A newer state of it is known, so nothing was sent.",
    "quarantined": "It was kept, but cannot be understood.",
}
_REFUSED = {
    404: "no such address or secret: bridge address shows the right one",
    413: "the body is too large",
    503: "it could not be stored: see the daemon's log",
}


def show_outcome(outcome: Shape, sample: str) -> None:
    """Print the answer, the event's state, its deliveries, and why nothing was sent if nothing was."""
    event = outcome["event"]
    if event is None:
        _answer(outcome)
        return
    say(f"{event['id']}  {clean(event['name'])}  {colour(event['state'])}")
    for delivery in event["deliveries"]:
        say(f"  {clean(delivery['route'])} → {clean(delivery['target'])}  {colour(delivery['state'])}")
        show_attempts(delivery["attempts"])
        if (reason := reason_text(delivery)) and not delivery["attempts"]:
            say(f"    {clean(reason)}")
    if event["state"] in _WHY:
        say(f"  {_WHY[event['state']]}" + (f" {clean(event['reason'])}" if event["reason"] else ""))
    if outcome["explanation"]:
        _nothing_sent(outcome["explanation"])
    for line in _next(event, outcome["explanation"], sample):
        say(f"  {line}")


def _answer(outcome: Shape) -> None:
    status, answer = outcome["status"], outcome["answer"]
    told = answer if isinstance(answer, str) else str(answer.get("event_id") or answer)
    say(f"answered {status}: {_REFUSED.get(status) or clean(told)}")


def _nothing_sent(explanation: Shape) -> None:
    said_no = refusals(explanation["routes"])
    if not said_no:
        say(f"  Nothing was sent: no route listens to {clean(explanation['event']['name'])}.")
        return
    say("  Nothing was sent: no route matches.")
    if explanation["compared_with"] is None:
        say(dim(f"    {FIRST_SIGHT}"))
    for line in said_no:
        say(f"    {line}")


def _next(event: Shape, explanation: Shape | None, sample: str) -> Sequence[str]:
    """Return what to try next; the sample of a trigger, unlike that of an event, is about a new entity anyway."""
    if event["deliveries"]:
        return [_where_to_look(event)]
    known = sample and "." not in sample and _knew(event, explanation)
    again = ["the same with --new is about an entity never seen before"] if known else []
    return [f"why, in full: bridge explain {event['id']}", *again]


def _where_to_look(event: Shape) -> str:
    for delivery in event["deliveries"]:
        if delivery["state"] != "deferred":
            return f"the message: bridge deliveries {delivery['id']}"
    return f"what it would say by now: bridge explain {event['id']}"


def _knew(event: Shape, explanation: Shape | None) -> bool:
    """Tell whether nothing was sent because of what was known before."""
    return event["state"] in {"duplicate", "stale"} or bool(explanation and explanation["compared_with"])
