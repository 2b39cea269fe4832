"""Routes: what they listen to, what must match, what they deliver."""

from collections.abc import Mapping
from dataclasses import replace

from bridge.config.entries import EntryCompiler
from bridge.config.listening import compile_listeners
from bridge.config.problems import Problems
from bridge.config.templates import Site, TemplateCompiler
from bridge.config.timing import TimingCompiler
from bridge.config.vocabulary import Advice, Vocabulary
from bridge.model import Json, JsonObject
from bridge.options import Loc
from bridge.rendering import Expression, Template
from bridge.routing.matcher import compile_match
from bridge.routing.route import DeliverEntry, Listener, Matcher, Route, Timing
from bridge.routing.timing import Digest


class RouteCompiler:
    """Compiles the routes of one file; whatever is broken is reported, and what stands beside it still checked."""

    def __init__(
        self,
        words: Vocabulary,
        templates: TemplateCompiler,
        times: TimingCompiler,
        entries: EntryCompiler,
        problems: Problems,
    ) -> None:
        """Take what routes may speak of and what compiles their parts."""
        self._times = times
        self._words = words
        self._templates = templates
        self._entries = entries
        self._problems = problems

    def compile(self, routes: Json) -> tuple[Route, ...]:
        """Return the sound routes of the list under ``routes:``."""
        if not isinstance(routes, list):
            return ()
        named: dict[Loc, JsonObject] = {
            ("routes", index): route for index, route in enumerate(routes) if isinstance(route, dict)
        }
        self._report_repeated(named)
        compiled = [self._route(route, loc) for loc, route in named.items()]
        return tuple(route for route in compiled if route is not None)

    def _report_repeated(self, routes: Mapping[Loc, JsonObject]) -> None:
        first: dict[str, Loc] = {}
        for loc, route in routes.items():
            name = route.get("name")
            if isinstance(name, str) and first.setdefault(name, loc) != loc:
                before, here = (self._problems.located.value((*each, "name")) for each in (first[name], loc))
                hint = f"first on line {before.line}" if before.file == here.file else f"first at {before}"
                self._problems.add((*loc, "name"), "repeated-name", f'two routes are called "{name}"', hint)

    def _route(self, route: JsonObject, loc: Loc) -> Route | None:
        listeners = compile_listeners(route.get("on"), (*loc, "on"), self._words, self._problems)
        site = Site(loc, self._kinds(listeners, (*loc, "on")))
        match = self._match(route.get("match"), site.below("match"))
        when = self._when(route.get("when"), site.below("when"))
        timing = self._times.route(route, site)
        deliver = self._deliver(route.get("deliver"), timing, replace(site, gathered="digest" in route))
        if self._problems.broken(loc):
            return None
        return Route(str(route["name"]), listeners, deliver, match, when, _mentions(when, timing))

    def _kinds(self, listeners: tuple[Listener, ...], loc: Loc) -> frozenset[str] | None:
        """Return the kinds the route hears of: all there are if ``on:`` is broken, None if those are not known."""
        if not self._words.complete:
            return None
        if not listeners or self._problems.broken(loc):
            return self._words.kinds
        return frozenset(self._words.events[name] for listener in listeners for name in listener.events)

    def _match(self, block: Json, site: Site) -> Matcher | None:
        if not isinstance(block, dict) or not block:
            return None
        return compile_match(block, self._problems.under(site.loc), lambda path: self._judged(path, site))

    def _judged(self, path: str, site: Site) -> Advice | None:
        return None if site.kinds is None else self._words.unknown_field(site.kinds, path)

    def _when(self, source: Json, site: Site) -> Expression | None:
        return self._templates.condition(source, site) if isinstance(source, str) and source else None

    def _deliver(self, entries: Json, timing: Timing | None, route: Site) -> tuple[DeliverEntry, ...]:
        if not isinstance(entries, list):
            return ()
        site = route.below("deliver")
        compiled = [
            self._entries.compile(entry, timing, site.below(index))
            for index, entry in enumerate(entries)
            if isinstance(entry, dict)
        ]
        return tuple(entry for entry in compiled if entry is not None)


def _mentions(when: Expression | None, timing: Timing | None) -> frozenset[str]:
    """Return the fields that a route itself reads of anything: its condition, and what its digest is gathered by."""
    by = timing.by if isinstance(timing, Digest) and isinstance(timing.by, Template) else None
    return frozenset[str]().union(*(each.mentions() for each in (when, by) if each))
