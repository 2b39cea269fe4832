"""What a route makes of a change that it matched: ``when``, then the rendered content of each deliver entry.

What fails to render is never dropped: it becomes a content-less delivery that carries the reason.
"""

from dataclasses import dataclass
from typing import NamedTuple

from bridge.errors import RenderError
from bridge.model import Change, JsonObject, Terms
from bridge.routing.route import Context, DeliverEntry, Route


class Preview(NamedTuple):
    """One deliver entry as it goes out: its content, or the error that left it without."""

    target: str
    key: str
    content: JsonObject | None
    error: str | None
    bucket: str = ""
    terms: Terms = Terms()


@dataclass(frozen=True, slots=True)
class FanOut:
    """The verdict of ``when`` (None without one, or when it failed) and what is to be delivered."""

    when: bool | None
    error: str | None
    previews: tuple[Preview, ...]


def fan_out(route: Route, change: Change, context: Context) -> FanOut:
    """Ask ``when`` and render the entries; never raises RenderError."""
    try:
        when = None if route.when is None else route.when.test(context)
    except RenderError as error:
        return failed(route, change, f"`when` failed: {error}")
    if when is False:
        return FanOut(when, None, ())
    return FanOut(when, None, tuple(_preview(entry, change, context) for entry in route.deliver))


def failed(route: Route, change: Change, reason: str) -> FanOut:
    """Return what a route comes to that cannot tell whether it delivers: every entry carries the reason."""
    key = _own_key(change)
    return FanOut(None, reason, tuple(Preview(entry.target, key, None, reason) for entry in route.deliver))


def _preview(entry: DeliverEntry, change: Change, context: Context) -> Preview:
    key = _own_key(change)
    try:
        if entry.key is not None:
            key = entry.key.render(context).strip() or key
        content = entry.content.render(context)
        return Preview(entry.target, key, content, None, *entry.handling(content))
    except RenderError as error:
        return Preview(entry.target, key, None, str(error))


def _own_key(change: Change) -> str:
    """Return the event's entity, which orders deliveries unless the entry says otherwise."""
    return str(change.event.entity or change.event.id)
