"""What a route makes of a change that it matched: ``when``, then the rendered content of each deliver entry.

What fails to render is never dropped: it becomes a content-less delivery that carries the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from bridge.errors import RenderError
from bridge.model import Change, Deferral, DeferralKind, JsonObject, Terms
from bridge.routing.route import Context, DeliverEntry, Gather, Route, Until

REASONS: Mapping[DeferralKind, str] = {
    "debounce": "held until nothing more happens for a while",
    "delay": "held until its time has come",
    "digest": "held for its digest",
    "window": "held until its window opens",
}
"""What is told of a delivery while it is deferred."""


class Preview(NamedTuple):
    """One deliver entry as it goes out: its content, or the error that left it without; or until when it is held."""

    target: str
    key: str
    content: JsonObject | None
    error: str | None
    bucket: str = ""
    terms: Terms = Terms()
    until: Until | None = None


@dataclass(frozen=True, slots=True)
class FanOut:
    """The verdict of ``when`` (None without one, or when it failed) and what is to be delivered."""

    when: bool | None
    error: str | None
    previews: tuple[Preview, ...]


def fan_out(route: Route, change: Change, context: Context, now: datetime, ahead: Gather | None = None) -> FanOut:
    """Ask ``when`` and render the entries; never raises RenderError.

    What is deferred is rendered when its time has come, and now as well with ``ahead``, which gathers a digest.
    """
    try:
        when = None if route.when is None else route.when.test(context)
    except RenderError as error:
        return failed(route, change, f"`when` failed: {error}")
    if when is False:
        return FanOut(when, None, ())
    return FanOut(when, None, tuple(_entry(Site(route, entry, change, context, now), ahead) for entry in route.deliver))


def failed(route: Route, change: Change, reason: str) -> FanOut:
    """Return what a route comes to that cannot tell whether it delivers: every entry carries the reason."""
    key = own_key(change)
    return FanOut(None, reason, tuple(Preview(entry.target, key, None, reason) for entry in route.deliver))


def rendered(entry: DeliverEntry, key: str, context: Context) -> Preview:
    """Return an entry as it goes out now, under its own key or else this one."""
    try:
        if entry.key is not None:
            key = entry.key.render(context).strip() or key
        content = entry.content.render(context)
        return Preview(entry.target, key, content, None, *entry.handling(content))
    except RenderError as error:
        return Preview(entry.target, key, None, str(error))


def held(entry: DeliverEntry, preview: Preview, now: datetime) -> Preview:
    """Return what was rendered, held until the window of its entry opens."""
    opening = entry.window.opening(now) if entry.window and preview.error is None else None
    if opening is None or opening <= now:
        return preview
    return preview._replace(until=Until(opening, Deferral("window")))


def own_key(change: Change) -> str:
    """Return the event's entity, which orders deliveries unless the entry says otherwise."""
    return str(change.event.entity or change.event.id)


def gathered_key(route: str, group: str) -> str:
    """Return what orders the digests of one group, unless their entry says otherwise."""
    return f"{route}:{group}" if group else route


class Site(NamedTuple):
    """A deliver entry of a route that has heard a change, and the moment."""

    route: Route
    entry: DeliverEntry
    change: Change
    context: Context
    now: datetime


def _entry(site: Site, ahead: Gather | None) -> Preview:
    entry, key = site.entry, own_key(site.change)
    if entry.timing is None:
        return held(entry, rendered(entry, key, site.context), site.now)
    try:
        until = entry.timing.defer(site.change, site.context, site.now)
    except RenderError as error:
        return Preview(entry.target, key, None, f"`by` failed: {error}")
    if ahead is None:
        return Preview(entry.target, key, None, None, until=until)
    return _ahead(site, until, ahead)._replace(until=until)


def _ahead(site: Site, until: Until, gather: Gather) -> Preview:
    """Return a deferred entry as it would go out if nothing else happened meanwhile."""
    if until.deferral.kind != "digest":
        return rendered(site.entry, own_key(site.change), site.context)
    group = until.deferral.group
    return rendered(site.entry, gathered_key(site.route.name, group), gather([site.context], group, site.now, None))
