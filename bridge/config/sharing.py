"""``defaults.deliver:`` — what deliver entries share, unless they say otherwise."""

from bridge.component import AnyTarget
from bridge.config.frame import DeliverFrame, EntryFrame
from bridge.config.idle import parks_nothing, short_times
from bridge.config.naming import describe
from bridge.config.problems import Problems
from bridge.config.translation import validated
from bridge.options import Loc

SHARED: Loc = ("defaults", "deliver")


class SharedTerms:
    """Fills in what entries leave open, and remembers which of it was of use to any of them."""

    def __init__(self, shared: DeliverFrame, problems: Problems) -> None:
        """Take what the file says for all entries."""
        self._shared = shared
        self._problems = problems
        self._unused: set[Loc] = {(name,) for name in shared.model_fields_set - {"retry"}}
        self._unused |= {("retry", part) for part in shared.retry.parts}

    def filled(self, own: EntryFrame, target: AnyTarget, loc: Loc) -> EntryFrame | None:
        """Return what counts for an entry, or None if its own does not go with the rest, which was then reported.

        Of a schedule each part counts by itself, and the target's own comes before what is meant for all.
        """
        keys = self._shared.model_fields_set - own.model_fields_set - {"retry"}
        parts = self._shared.retry.parts.keys() - own.retry.parts.keys() - target.options.retry.parts.keys()
        self._use(keys, parts, target)
        frame = self._joined(own, keys, loc)
        retry = own.retry.model_copy(update={part: getattr(self._shared.retry, part) for part in parts})
        return None if frame is None else frame.model_copy(update={"retry": retry})

    def warn_of_unused(self) -> None:
        """Warn of what is said for all entries and counts for none."""
        for key in sorted(self._unused):
            loc = (*SHARED, *key)
            message = f"{describe(self._problems.located.data, loc)} counts for no entry"
            self._problems.warn(loc, "no-effect", message, "leave it out: each entry or its target says otherwise")

    def _joined(self, own: EntryFrame, keys: frozenset[str] | set[str], loc: Loc) -> EntryFrame | None:
        """Return an entry with these keys of the defaults; both are sound, and yet may exclude each other."""
        written = {name: getattr(self._shared, name) for name in keys}
        written |= {name: getattr(own, name) for name in own.model_fields_set}
        document = self._problems.located.data
        frame, defects = validated(EntryFrame, written, lambda inner: describe(document, (*loc, *inner)))
        for defect in defects:
            self._problems.add(loc, defect.code, f"{defect.message}; `defaults` counts here too", defect.hint)
        return frame

    def _use(self, keys: set[str], parts: set[str], target: AnyTarget) -> None:
        """Note what of the defaults comes about at an entry to a target."""
        idle = {"on_unknown"} if parks_nothing(self._shared, target) else set[str]()
        self._unused -= {(key,) for key in keys - idle}
        self._unused -= {("retry", part) for part in parts - set(short_times(self._shared.retry, target.limits))}
