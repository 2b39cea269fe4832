"""An explanation as a person reads it: what changed, what each route made of it, and what would be sent where."""

import json
from collections.abc import Iterable, Sequence

import click

from bridge.cli.details import entity_text
from bridge.cli.screen import clean, colour, dim, indented, say
from bridge.control.shapes import Shape
from bridge.model import Json

_PHRASES = {"eq": "=", "ne": "≠", "gt": ">", "gte": "≥", "lt": "<", "lte": "≤"}
_GROUPS = frozenset({"any", "all", "not"})
_COMPARING = frozenset({"from", "to", "changed", "increased", "decreased"})
"""Operators whose verdict needs the last state to be understood."""


def show_explanation(told: Shape) -> None:
    """Print an explanation whole."""
    event = told["event"]
    say(f"{clean(event['name'])}  {entity_text(event['entity'])}  {colour(told['state'])}".strip())
    if told["reason"]:
        say(f"  {clean(told['reason'])}")
    if told["state"] != "quarantined":
        _changes(told["changes"], told["compared_with"])
    for route in sorted(told["routes"], key=lambda route: (not route["matched"], not route["listened"])):
        say()
        show_route(route)


def show_route(route: Shape) -> None:
    """Print what one route made of the event."""
    name = clean(route["name"])
    if not route["listened"]:
        say(dim(f"- {name}: listens to something else"))
        return
    say(f"{_mark(route['matched'])} {click.style(name, bold=True)}{'' if route['matched'] else ' does not match'}")
    _findings(route["findings"], "  ")
    if route["when"]:
        say(f"  {_mark(route['when']['verdict'])} when {clean(route['when']['expression'])}")
    if route["error"]:
        say(click.style(f"  {clean(route['error'])}", fg="red"))
    for delivery in route["deliveries"]:
        _delivery(delivery)


def refusals(routes: Iterable[Shape]) -> Sequence[str]:
    """Return, for each route that listened and did not match, a line that says which matcher said no."""
    return [_refusal(route) for route in routes if route["listened"] and not route["matched"]]


def finding_text(finding: Shape) -> str:
    """Return what a matcher wanted, and what it saw instead or in agreement."""
    operator, wanted = finding["operator"], finding["wanted"]
    saw = _short(finding["seen"])
    if operator in _COMPARING:
        saw = f"{_short(finding['previous'])} → {saw}"
    return clean(f"{finding['path']} {_PHRASES.get(operator, operator)} {_short(wanted)}  saw {saw}")


def _changes(changes: Sequence[Shape], compared_with: str | None) -> None:
    if compared_with is None:
        say(dim("  first sight: nothing to compare with, so only what the document itself dates counts as changed"))
        return
    say(dim(f"  compared with {compared_with}:" + ("" if changes else " nothing changed")))
    for change in changes:
        say(f"    {clean(change['path'])}: {_short(change['before'])} → {_short(change['after'])}")


def _findings(findings: Sequence[Shape], margin: str) -> None:
    for finding in findings:
        mark = _mark(finding["matched"])
        if finding["children"] or finding["operator"] in _GROUPS:
            say(f"{margin}{mark} {clean(finding['operator'])}:")
            _findings(finding["children"], margin + "  ")
        else:
            say(f"{margin}{mark} {finding_text(finding)}")


def _delivery(delivery: Shape) -> None:
    say(f"  → {clean(delivery['target'])}  {dim('key ' + delivery['key'])}")
    if delivery["error"]:
        say(click.style(indented(delivery["error"], "    "), fg="red"))
    if delivery["preview"] is not None:
        say(indented(delivery["preview"], "    │ "))


def _refusal(route: Shape) -> str:
    said_no = [finding_text(leaf) for leaf in _leaves(route["findings"]) if not leaf["matched"]]
    if route["when"] and not route["when"]["verdict"]:
        said_no.append(clean(f"when {route['when']['expression']}"))
    return f"{clean(route['name'])}: {'; '.join(said_no) or clean(route['error'] or 'no match')}"


def _mark(matched: bool) -> str:  # noqa: FBT001 (the verdict)
    return click.style("✓", fg="green") if matched else click.style("✗", fg="red")


def _leaves(findings: Sequence[Shape]) -> Iterable[Shape]:
    for finding in findings:
        if finding["children"]:
            yield from _leaves(finding["children"])
        else:
            yield finding


def _short(value: Json) -> str:
    """Return a value on one line, cut where it would fill the screen."""
    text = json.dumps(value, ensure_ascii=False)
    return clean(text if len(text) <= 120 else text[:119] + "…")  # noqa: PLR2004 (a line's length)
