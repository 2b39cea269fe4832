"""What does deciding an event cost, as rules grow? ``make bench-routing``.

Rules of 10, 100 and 1000 routes, of which the same five listen to what happens, and of which each asks the deal for
three things; then rules whose listeners grow. Rounds alternate, each decides the same losses, and the figure is the
median. Nothing is rendered or stored: it is the cost of comparing, and of finding and asking the routes.

The exit code is 1 if a route that should hear an event did not, or another did. A bar that is missed is told, and is no
failure.
"""

import argparse
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import yaml

from benchmarks.ingest import webhooks
from benchmarks.verdict import bar, conclude, counted
from bridge.config import load
from bridge.model import EntityState, Event, SystemClock, new_id
from bridge.ruleset import Ruleset
from bridge.sources.rdstation_crm import RdStationCrm

SIZES = (10, 100, 1000)
LISTENERS = 5
GROWING = (1, 5, 25, 125)
BAR = 1.2
"""How much more an event may cost with a thousand routes than with ten."""
USUAL, A_MINUTE = 200, 10_000
ELSEWHERE = ("contact.created", "task.completed", "organization.updated", "task.created", "contact.deleted")
"""What all other routes listen to."""


def rules(routes: int, listeners: int) -> str:
    """Return rules of so many routes, of which so many listen to losses."""
    asked = {"amount_total": {"gte": 1}, "user.name": {"exists": True}, "deal_source.name": {"ne": "nobody"}}
    heard = [_route(f"loss-{number}", "deal.lost", asked) for number in range(listeners)]
    elsewhere = [ELSEWHERE[number % len(ELSEWHERE)] for number in range(routes - listeners)]
    others = [_route(f"other-{number}", name, {}) for number, name in enumerate(elsewhere)]
    frame = {"version": 1, "sources": {"crm": {"type": "rdstation_crm"}}, "targets": {"screen": {"type": "log"}}}
    return yaml.safe_dump({**frame, "routes": [*others, *heard]})


def _route(name: str, on: str, match: dict[str, object]) -> dict[str, object]:
    never = {"name": {"eq": "a deal that nobody has"}}  # the last thing asked, so that nothing is rendered
    return {"name": name, "on": on, "match": {**match, **never}, "deliver": [{"to": "screen", "text": "x"}]}


class Deciding:
    """Rules, and the time that their router takes for each event."""

    def __init__(self, folder: Path, routes: int, listeners: int) -> None:
        path = folder / f"routes-{routes}-{listeners}.yaml"
        path.write_text(rules(routes, listeners))
        self.ruleset: Ruleset = load(path, {}).ruleset
        self.listeners = listeners
        self.costs: list[float] = []

    def round(self, events: Sequence[Event], before: Sequence[EntityState | None]) -> None:
        """Decide the events, and note what each took of the processor."""
        decide = self.ruleset.router.decide
        began = time.process_time()
        for event, last in zip(events, before, strict=True):
            decide(event, last)
        self.costs.append((time.process_time() - began) / len(events))

    @property
    def cost(self) -> float:
        """The cost of an event, in microseconds."""
        return 1e6 * statistics.median(self.costs)

    def deaf(self, event: Event, last: EntityState | None) -> int:
        """Return how many routes that should be asked of a loss are not, or are and should not."""
        asked = {route.name for route in self.ruleset.router.explain(event, last).routes if route.listened}
        return len(asked ^ {f"loss-{number}" for number in range(self.listeners)})


def arrivals(count: int, series: str) -> list[Event]:
    """Return losses of as many deals, as ingest stores them."""
    crm = RdStationCrm("crm", RdStationCrm.Options())
    now = SystemClock().now()
    events = []
    for body in webhooks(count, series, lost_in=1):
        read = crm.read(body)
        events.append(Event(new_id("evt"), "crm", read.name, read.entity, read.dedup_key, body, now, read.occurred_at))
    return events


def measure(folder: Path, rounds: int, count: int) -> int:
    """Alternate, report, and return the exit code."""
    events = arrivals(count, "r")
    before: list[EntityState | None] = [None] * count
    sizes = {routes: Deciding(folder, routes, LISTENERS) for routes in SIZES}
    growing = {listeners: Deciding(folder, 1000, listeners) for listeners in GROWING}
    usual = Deciding(folder, USUAL, LISTENERS)
    everyone = [*sizes.values(), *growing.values(), usual]
    for _ in range(rounds):
        for each in everyone:
            each.round(events, before)
    print(f"machine    {platform.machine()}, Python {platform.python_version()}")
    print(f"load       {rounds} rounds of {count} losses")
    ratio = sizes[SIZES[-1]].cost / sizes[SIZES[0]].cost
    costs = ", ".join(f"{routes}: {each.cost:.1f} µs" for routes, each in sizes.items())
    print(f"routes     {costs}, {LISTENERS} listening; ratio {ratio:.2f} ({bar(BAR, holds=ratio <= BAR)})")
    print("listening  " + ", ".join(f"{number}: {each.cost:.1f} µs" for number, each in growing.items()) + ", of 1000")
    share = usual.cost * 1e-6 * A_MINUTE / timedelta(minutes=1).total_seconds()
    print(f"share      {A_MINUTE} events a minute at {USUAL} routes: {share:.2%} of a processor")
    return conclude(counted(wrong_routes=sum(each.deaf(events[0], None) for each in everyone)))


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--count", type=int, default=2000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        sys.exit(measure(Path(name), arguments.rounds, arguments.count))


if __name__ == "__main__":
    main()
