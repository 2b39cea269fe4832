"""When a message is told that is not told at once, what it is told with, and what keeps it from being told."""

from collections.abc import Iterator

from bridge.cli.screen import clean
from bridge.cli.times import shown
from bridge.control.shapes import Shape

_LATER = {
    "debounce": "once nothing more happens for a while",
    "delay": "after its delay",
    "window": "when its window opens",
}


def later(delivery: Shape) -> Iterator[str]:
    """Yield what is to be said of a deferred message of an explanation, a line each."""
    due = shown(delivery["due"])
    if delivery["deferred"] == "digest":
        yield f"in the digest{_of(delivery['group'])} of {due}, {_company(len(delivery['joins']))}"
    else:
        latest = f", {shown(delivery['latest'])} at the latest" if delivery["latest"] else ""
        yield f"{_LATER[delivery['deferred']]}, {due} at present{latest}"
        if delivery["joins"]:
            yield f"tells along what waits as {', '.join(delivery['joins'])}"
    if delivery["unless"]:
        yield f"unless {clean(' or '.join(delivery['unless']))} comes first"
    if delivery["undone"]:
        yield "nothing would be told by now: what it would tell of was undone"


def _of(group: str) -> str:
    return f' "{clean(group)}"' if group else ""


def _company(others: int) -> str:
    if not others:
        return "the first that is to be told in it"
    return f"with {others} more that wait{'s' if others == 1 else ''} for it"
