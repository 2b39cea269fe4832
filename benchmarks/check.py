"""How long does `bridge check` take for 200 routes? ``make bench-check``.

Each run is a process of its own, from its start to its exit code, as a person waits for it. A run with one route beside
it tells what is the program's start, and what the routes cost.

The exit code is 1 if a run found a problem in rules that have none. A bar that is missed is told, and is no failure.
"""

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.verdict import bar, conclude, counted

BAR = 1.0
"""Seconds at most, process start included."""
COMPILED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""An installed program is compiled once; an environment may forbid to keep that, and each run would pay for it."""
HEAD = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  sales: {type: slack, token: xoxb-1, channel: C0123SALES}
  billing: {type: http, url: "https://billing.example.com"}
  screen: {type: log}
windows:
  business_hours: {days: mon-fri, from: "09:00", to: "18:00", holidays: BR}
routes:
"""
FORMS = (
    """\
  - name: lost-NUMBER
    on: deal.lost
    match: {amount_total: {gte: NUMBER000}, deal_pipeline.name: "Funil NUMBER"}
    deliver:
      - {to: sales, template: lost.md.j2, thread: deal}
""",
    """\
  - name: moved-NUMBER
    on: crm_deal_updated
    match:
      deal_stage.order: increased
      deal_stage.name: {from: "Proposta NUMBER"}
      any: [{rating: {gte: 4}}, {campaign.name: {exists: true}}]
    debounce: 60s
    deliver:
      - {to: sales, text: "NUMBER {{ deal.name }}: {{ previous.deal_stage.name }} → {{ deal.deal_stage.name }}"}
""",
    """\
  - name: won-NUMBER
    on: deal.won
    match: {user.email: {ends_with: "@unidade-NUMBER.example"}}
    deliver:
      - to: billing
        body: {unit: NUMBER, customer: "{{ deal.name }}", total: "{{ deal.amount_total }}", at: "{{ now }}"}
""",
    """\
  - name: task-NUMBER
    on: [task.created, task.rescheduled]
    match: {type: call, name: {contains: "NUMBER"}}
    deliver:
      - {to: screen, text: "NUMBER {{ task.name }} até {{ task.due_date | datetime }}", key: deal}
""",
    """\
  - name: daily-NUMBER
    on: contact.created
    match: {job_title: "Cargo NUMBER"}
    digest: {at: "18:00", within: business_hours, by: "{{ contact.organization_id }}"}
    deliver:
      - {to: sales, text: "NUMBER: {% for item in items %}{{ item.contact.name }}\\n{% endfor %}"}
""",
)
TEMPLATE = """\
❌ *{{ deal.name }}:* {{ deal.amount_total | money }}
{% if deal.deal_lost_reason.name %}> {{ deal.deal_lost_reason.name }}{% endif %}

> {{ deal.user.name }}, {{ deal.closed_at | datetime }}
"""


def rules(count: int) -> str:
    """Return rules of so many routes, no two alike."""
    return HEAD + "".join(FORMS[number % len(FORMS)].replace("NUMBER", str(number + 1)) for number in range(count))


class Run(NamedTuple):
    """One run: seconds from its start to its end, those of them that a processor worked for it, and its exit code."""

    seconds: float
    busy: float
    code: int


def runs(folder: Path, count: int, times: int) -> Iterator[Run]:
    """Check rules of so many routes that often."""
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "templates/lost.md.j2").write_text(TEMPLATE)
    (folder / "routes.yaml").write_text(rules(count))
    for _ in range(times):
        began, before = time.perf_counter(), _busy()
        command = (sys.executable, "-m", "bridge", "check", "routes.yaml")
        done = subprocess.run(command, cwd=folder, env=COMPILED, capture_output=True, check=False)
        yield Run(time.perf_counter() - began, _busy() - before, done.returncode)


def _busy() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--routes", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        list(runs(Path(name), arguments.routes, 2))  # so that no run pays for reading the program from the disk
        one = list(runs(Path(name), 1, arguments.runs))
        many = list(runs(Path(name), arguments.routes, arguments.runs))
    sys.exit(report(one, many, arguments))


def report(one: list[Run], many: list[Run], arguments: argparse.Namespace) -> int:
    """Print the figures with what they were taken on and the verdict, and return the exit code."""
    seconds = [run.seconds for run in many]
    median = statistics.median(seconds)
    print(f"machine    {platform.machine()}, Python {platform.python_version()}")
    print(f"load       {arguments.runs} runs of {arguments.routes} routes, each a process of its own")
    print(f"one route  {statistics.median(run.seconds for run in one):.2f} s")
    print(f"check      {median:.2f} s ({bar(BAR, holds=median < BAR)}), {min(seconds):.2f} to {max(seconds):.2f}")
    print(f"processor  {statistics.median(run.busy for run in many):.2f} s of it")
    return conclude(counted(runs_with_problems=sum(run.code != 0 for run in (*one, *many))))


if __name__ == "__main__":
    main()
