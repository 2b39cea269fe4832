"""What has to do with time: windows, and when the deliver entries of a route tell."""

from typing import NamedTuple
from zoneinfo import ZoneInfo

from bridge.config.frame import EntryFrame
from bridge.config.holidays import days_off
from bridge.config.listening import compile_listeners
from bridge.config.naming import describe
from bridge.config.problems import Problems
from bridge.config.templates import Site, TemplateCompiler
from bridge.config.timing_frame import DigestFrame, WindowFrame, parse_clock, parse_days
from bridge.config.vocabulary import Vocabulary
from bridge.model import Clock, Json, JsonObject
from bridge.options import did_you_mean
from bridge.options.quantity import sure
from bridge.routing.route import Listener, Timing
from bridge.routing.timing import Debounce, Delay, Digest
from bridge.routing.window import Window


class Times(NamedTuple):
    """When a deliver entry tells."""

    timing: Timing | None = None
    window: Window | None = None
    unless: tuple[Listener, ...] = ()


class TimingCompiler:
    """Compiles the windows of one file, and what routes and entries say of time."""

    def __init__(
        self, words: Vocabulary, templates: TemplateCompiler, problems: Problems, zone: ZoneInfo, clock: Clock
    ) -> None:
        """Take what entries may speak of, and the zone that times of day are meant in."""
        self._words = words
        self._templates = templates
        self._problems = problems
        self._zone = zone
        self._clock = clock
        self._windows: dict[str, Window] = {}
        self._named: frozenset[str] = frozenset()
        self._used: set[str] = set()

    def windows(self, windows: Json) -> None:
        """Take the windows of the file."""
        if not isinstance(windows, dict):
            return
        self._named = frozenset(windows)
        for name, written in windows.items():
            if isinstance(written, dict) and not self._problems.broken(("windows", name)):
                self._take(name, self._window(WindowFrame.model_validate(written)))

    def _take(self, name: str, window: Window) -> None:
        if window.opening(self._clock.now()) is None:
            message, hint = "this window never opens", "give it `days`, such as mon-fri, that are not all `holidays`"
            self._problems.add(("windows", name), "bad-value", message, hint)
        else:
            self._windows[name] = window

    def warn_of_unused(self) -> None:
        """Warn of every window that nothing goes out in."""
        for name in sorted(self._named - self._used):
            message = f'nothing goes out within the window "{name}"'
            self._problems.warn(("windows", name), "unused-window", message, "remove it, or use it")

    def route(self, route: JsonObject, site: Site) -> Timing | None:
        """Return when a route tells, for all of its entries."""
        if "debounce" in route and "digest" in route:
            self._problems.add(site.below("digest").loc, "bad-value", '"debounce" and "digest" exclude each other')
        if self._is_sound(route, "digest", site):
            return self._digest(DigestFrame.model_validate(route["digest"]), site.below("digest"))
        if self._is_sound(route, "debounce", site):
            return Debounce(sure(route["debounce"]))
        return None

    def entry(self, frame: EntryFrame, timing: Timing | None, site: Site) -> Times:
        """Return when an entry tells, in a route that tells so."""
        if frame.delay and timing:
            route = describe(self._problems.located.data, site.loc[:2])
            message = f'"delay" is not for entries of {route}, which tells later as it is'
            self._problems.add(site.below("delay").loc, "bad-value", message)
        timing = Delay(frame.delay) if frame.delay else timing
        window = self._named_window(frame.within, site.below("within"))
        unless = compile_listeners(frame.unless, site.below("unless").loc, self._words, self._problems)
        if frame.unless:
            self._check_unless(unless, site, holds=bool(timing or frame.within))
        return Times(timing, window, unless)

    def _check_unless(self, unless: tuple[Listener, ...], site: Site, *, holds: bool) -> None:
        """Report an ``unless`` that could never call anything off."""
        loc = site.below("unless").loc
        if not holds:
            message = '"unless" calls off what is held, and nothing holds this'
            self._problems.add(loc, "bad-value", message, "give the entry a `delay`, or leave `unless` out")
        kinds = {self._words.events[name] for listener in unless for name in listener.events}
        if unless and site.kinds is not None and not kinds & site.kinds:
            message = "what it names is never about the entities that the route hears of"
            self._problems.add(loc, "bad-value", message)

    def _is_sound(self, route: JsonObject, key: str, site: Site) -> bool:
        return route.get(key) is not None and not self._problems.broken(site.below(key).loc)

    def _digest(self, frame: DigestFrame, site: Site) -> Digest:
        by = self._templates.text(frame.by, site.below("by")) if frame.by else None
        window = self._named_window(frame.within, site.below("within"))
        digest = Digest(tuple(frame.expressions), self._zone, window, by, frame.empty)
        if digest.next(self._clock.now()) is None:
            self._problems.add(site.loc, "bad-value", "no digest ever comes at these times")
        return digest

    def _named_window(self, name: str | None, site: Site) -> Window | None:
        if name is None:
            return None
        self._used.add(name)
        if name not in self._named:
            hint = did_you_mean(name, self._named) or "name it under `windows:`"
            self._problems.add(site.loc, "unknown-window", f'there is no window "{name}"', hint)
        return self._windows.get(name)

    def _window(self, frame: WindowFrame) -> Window:
        begin, end = parse_clock(frame.from_), parse_clock(frame.to)
        return Window(parse_days(frame.days), begin, end, self._zone, days_off(frame.calendars))
