"""``bridge test``."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli import options, screen

if TYPE_CHECKING:
    from bridge.config import Loaded, Trial
    from bridge.trial import Result, Runner


@click.command(short_help="Test the rules: events, time, and what has to be delivered.")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--junit", type=options.FILE, help="Write the results to this file, as JUnit XML.")
@options.routes
@options.output
@click.pass_context
def command(ctx: click.Context, *, files: tuple[Path, ...], junit: Path | None, routes: Path, form: str) -> None:
    """Run the tests in FILES; by default those of the rules, and of tests/*.yaml beside them.

    Nothing leaves the machine. Exit code 1: a test failed, or there are problems. 2: there are no tests.
    """
    from bridge import config
    from bridge.app import logs
    from bridge.options import StandIns
    from bridge.trial import MovedClock, Runner

    if not routes.exists():
        raise click.UsageError(f"there are no rules in {routes}; name them with --routes")
    logs.configure("critical", "auto", sys.stderr)
    clock = MovedClock()
    loaded = config.load(routes, StandIns(os.environ), clock)
    trials = _trials(loaded, routes, files)
    if not trials:
        where = f"there are no tests in {routes}, nor in {routes.parent / 'tests'}/*.yaml"
        raise click.UsageError(f"{where}; begin with:\n\n{_first(loaded)}")
    runner = Runner(loaded.ruleset, loaded.named, clock)
    results = [_run(runner, trial, quiet=form == "json") for trial in trials]
    _tell(results, junit, form)
    ctx.exit(1 if any(result.failure for result in results) else 0)


def _first(loaded: "Loaded") -> str:
    """Return a test to begin with: of the first route, by a sample that it listens to."""
    route = loaded.ruleset.routes[0]
    lines = [
        "tests:",
        f"  - name: {screen.clean(route.name)} tells what it should",
        "    steps:",
        f"      - send: {route.listeners[0].name}",
        f"      - expect: [{{to: {route.deliver[0].target}}}]",
    ]
    return "\n".join(lines)


def _trials(loaded: "Loaded", routes: Path, files: Sequence[Path]) -> "Sequence[Trial]":
    from bridge import config

    if not files:
        files = (routes, *config.trials_beside(routes))
    return [trial for file in files for trial in _trials_of(file, loaded, routes)]


def _trials_of(file: Path, loaded: "Loaded", routes: Path) -> "Sequence[Trial]":
    """Return the tests of a file, which may be the rules themselves: `bridge check` takes those by name."""
    from bridge import config

    return loaded.trials if file.samefile(routes) else config.read_trials(file, loaded.named)


def _run(runner: "Runner", trial: "Trial", *, quiet: bool) -> "Result":
    from bridge.cli.verdicts import told

    result = runner.run(trial)
    if not quiet:
        mark = click.style("✗", fg="red") if result.failure else click.style("✓", fg="green")
        screen.say(f"{mark} {screen.clean(trial.name)}")
        if result.failure:
            screen.say(screen.indented("\n".join(told(result.failure)), "    "))
    return result


def _tell(results: "Sequence[Result]", junit: Path | None, form: str) -> None:
    from bridge.cli.verdicts import verdict, write_junit

    failed = sum(result.failure is not None for result in results)
    if junit:
        write_junit(junit, results)
    if form == "json":
        screen.dump({"passed": len(results) - failed, "failed": failed, "tests": [verdict(each) for each in results]})
    else:
        screen.note(f"{screen.counted(len(results), 'test')}, {screen.counted(failed, 'failure')}")
