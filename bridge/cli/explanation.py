"""An explanation as a person reads it: what changed, what each route made of it, and what would be sent where."""

import json
from collections.abc import Iterable, Sequence

import click

from bridge.cli.details import entity_text
from bridge.cli.screen import clean, colour, dim, indented, say
from bridge.cli.waiting import later
from bridge.control.shapes import Shape
from bridge.model import Json
from bridge.routing.operators import BARE

_PHRASES = {"eq": "=", "ne": "≠", "gt": ">", "gte": "≥", "lt": "<", "lte": "≤"}
_GROUPS = frozenset({"any", "all", "not"})
_CHANGES = frozenset({"routed", "unmatched"})
"""What an event comes to that is a change; of any other the reason says all."""
FIRST_SIGHT = "first sight: nothing to compare with, so only what the document itself dates counts as changed"
_COMPARING = frozenset({"from", "to", "changed", "increased", "decreased"})
"""Operators whose verdict needs the last state to be understood."""


def show_explanation(told: Shape) -> None:
    """Print an explanation whole."""
    event = told["event"]
    say(f"{clean(event['name'])}  {entity_text(event['entity'])}  {colour(told['state'])}".strip())
    if told["reason"]:
        say(f"  {clean(told['reason'])}")
    if told["state"] in _CHANGES:
        _changes(told["changes"], told["compared_with"])
    for entry in told["calls_off"]:
        ids = entry["deliveries"]
        which = "" if ids is None else f": {', '.join(ids) or 'nothing'}"
        say(f"  calls off what {clean(entry['route'])} holds of it for {clean(entry['target'])}{which}")
    for route in sorted(_listening(told["routes"]), key=lambda route: not route["matched"]):
        show_route(route)
    if others := [clean(route["name"]) for route in told["routes"] if not route["listened"]]:
        say()
        say(dim(f"other routes listen to something else: {', '.join(others)}"))


def show_route(route: Shape) -> None:
    """Print what a route that listens to the event made of it."""
    name = clean(route["name"])
    say()
    say(f"{_mark(route['matched'])} {click.style(name, bold=True)}{'' if route['matched'] else ' does not match'}")
    _findings(_opened(route["findings"]), "  ")
    if route["when"]:
        say(f"  {_mark(route['when']['verdict'])} when {clean(route['when']['expression'])}")
    if route["error"]:
        say(click.style(f"  {clean(route['error'])}", fg="red"))
    for delivery in route["deliveries"]:
        _delivery(delivery)


def refusals(routes: Iterable[Shape]) -> Sequence[str]:
    """Return, for each route that listened and did not match, a line with what said no."""
    return [_refusal(route) for route in _listening(routes) if not route["matched"]]


def finding_text(finding: Shape) -> str:
    """Return what a matcher wanted, and what it saw instead or in agreement."""
    saw = _short(finding["seen"])
    if finding["operator"] in _COMPARING:
        saw = f"{_short(finding['previous'])} → {saw}"
    return f"{clean(finding['path'])} {_wish(finding['operator'], finding['wanted'])}  saw {saw}"


def _wish(operator: str, wanted: Json) -> str:
    if operator in BARE:
        return operator if wanted else f"not {operator}"
    return f"{_PHRASES.get(operator, operator)} {_short(wanted)}"


def _listening(routes: Iterable[Shape]) -> Sequence[Shape]:
    return [route for route in routes if route["listened"]]


def _opened(findings: Iterable[Shape]) -> Iterable[Shape]:
    """Yield findings with those of `all` in its place: at the top, everything must hold anyway."""
    for finding in findings:
        if finding["operator"] == "all":
            yield from _opened(finding["children"])
        else:
            yield finding


def _changes(changes: Sequence[Shape], compared_with: str | None) -> None:
    if compared_with is None:
        say(dim(f"  {FIRST_SIGHT}"))
        return
    say(dim(f"  compared with {compared_with}:" + ("" if changes else " nothing changed")))
    for change in changes:
        say(f"    {clean(change['path'])}: {_short(change['before'])} → {_short(change['after'])}")


def _findings(findings: Iterable[Shape], margin: str) -> None:
    for finding in findings:
        mark = _mark(finding["matched"])
        if len(finding["children"]) == 1 and finding["operator"] != "not":
            _findings(finding["children"], margin)
        elif finding["operator"] in _GROUPS:
            say(f"{margin}{mark} {finding['operator']}:")
            _findings(finding["children"], margin + "  ")
        else:
            say(f"{margin}{mark} {finding_text(finding)}")


def _delivery(delivery: Shape) -> None:
    say(f"  → {clean(delivery['target'])}  {dim('key ' + delivery['key'])}")
    if delivery["deferred"]:
        for line in later(delivery):
            say(f"    {line}")
    if delivery["link"]:
        say(f"    goes to what was made before: {_made(delivery['link'])}")
    if delivery["error"]:
        say(click.style(indented(delivery["error"], "    "), fg="red"))
    if delivery["preview"] is not None:
        say(indented(delivery["preview"], "    │ "))


def _made(link: Shape) -> str:
    """Return an external object as a person may find it: by its address, if it has one."""
    places = {name: value for name, value in link.items() if name not in {"key", "external_id"}}
    where = [f"{name} {value}" for name, value in places.items() if "\n" not in str(value)]
    return clean(", ".join([str(link["external_id"]), *where]))


def _refusal(route: Shape) -> str:
    said_no = [_short_refusal(finding) for finding in _opened(route["findings"]) if not finding["matched"]]
    if route["when"] and not route["when"]["verdict"]:
        said_no.append(clean(f"when {route['when']['expression']}"))
    return f"{clean(route['name'])}: {'; '.join(said_no) or clean(route['error'] or 'no match')}"


def _mark(matched: bool) -> str:  # noqa: FBT001 (the verdict)
    return click.style("✓", fg="green") if matched else click.style("✗", fg="red")


def _short_refusal(finding: Shape) -> str:
    """Return a matcher on one line; of `any` and `not` only that they said no, for `explain` has the rest."""
    return f"{finding['operator']}: …" if finding["operator"] in _GROUPS else finding_text(finding)


def _short(value: Json) -> str:
    """Return a value on one line, cut where it would fill the screen."""
    text = json.dumps(value, ensure_ascii=False)
    return clean(text if len(text) <= 120 else text[:119] + "…")  # noqa: PLR2004 (a line's length)
