"""``on:`` — triggers, event names and patterns become listeners."""

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from bridge.component import NamedTrigger
from bridge.config.problems import Problems
from bridge.config.vocabulary import Vocabulary
from bridge.options import Loc, nearest
from bridge.routing.matcher import compile_match
from bridge.routing.route import Listener
from bridge.sources._bridge import PREFIX

EXAMPLE = "such as deal.lost, crm_deal_updated or crm_deal_*"


def compile_listeners(on: object, loc: Loc, words: Vocabulary, problems: Problems) -> tuple[Listener, ...]:
    """Return the listeners of ``on:``, and report every item that nothing could ever be heard by."""
    items: Iterable[tuple[Loc, object]] = (
        [((*loc, index), item) for index, item in enumerate(on)] if isinstance(on, list) else [(loc, on)]
    )
    listeners: list[Listener] = []
    for place, item in items:
        if not isinstance(item, str) or not item:
            continue  # reported with the frame
        found = _listeners(item, words)
        if not found and words.complete:
            problems.add(place, "unknown-event", *_unknown(item, words))
        listeners.extend(found)
    return tuple(listeners)


def _listeners(item: str, words: Vocabulary) -> Sequence[Listener]:
    if item in words.triggers:
        return [_of_trigger(trigger) for trigger in words.triggers[item]]
    names = frozenset(name for name in words.events if _fits(name, item)) if _is_pattern(item) else {item}
    known = frozenset(names & words.events.keys())
    return [Listener(item, known)] if known else []


def _fits(name: str, pattern: str) -> bool:
    """Tell whether a pattern names an event; those of bridge itself are not meant by one as wide as ``*``."""
    return fnmatchcase(name, pattern) and name.startswith(PREFIX) <= pattern.startswith(PREFIX)


def _of_trigger(trigger: NamedTrigger) -> Listener:
    matcher = compile_match(trigger.match, _impossible, lambda _: None) if trigger.match else None
    return Listener(trigger.name, frozenset(trigger.events), matcher)


def _is_pattern(item: str) -> bool:
    return any(sign in item for sign in "*?[")


def _unknown(item: str, words: Vocabulary) -> tuple[str, str]:
    if _is_pattern(item):
        return f'no event has a name like "{item}"', "a pattern is held against names such as crm_deal_updated"
    several = [part for part in re.split(r"[\s,;]+", item) if part]
    if len(several) > 1 and all(_listeners(part, words) for part in several):
        return f'there is no event or trigger "{item}"', f"write a list: [{', '.join(several)}]"
    near = nearest(item, [*words.triggers, *words.events])
    return f'there is no event or trigger "{item}"', EXAMPLE if near is None else f'did you mean "{near}"?'


def _impossible(loc: Loc, code: str, message: str, hint: str) -> None:
    raise TypeError(f"a trigger of a source does not compile: {loc} {code} {message} {hint}")
