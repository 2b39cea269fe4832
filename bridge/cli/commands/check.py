"""``bridge check``."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from bridge.cli import options, screen
from bridge.cli.garbage import unswept
from bridge.model import JsonObject

if TYPE_CHECKING:
    from bridge.config import Loaded
    from bridge.options import Problem
    from bridge.rehearsal.online import Answered


class Told(NamedTuple):
    """What APIs and services answered, and what is to be warned of then: names that the CRM does not know."""

    sources: "Sequence[Answered]"
    targets: "Sequence[Answered]"
    warnings: "Iterable[Problem]"


@click.command(short_help="Print every problem of the rules.")
@click.argument(
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default="routes.yaml",
    envvar="BRIDGE_ROUTES",
)
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@click.option("--online", is_flag=True, help="Ask services whether they would take messages, and the CRM for names.")
@options.data
@options.output
@click.pass_context
def command(ctx: click.Context, *, file: Path, strict: bool, online: bool, data: Path, form: str) -> None:
    """Check the rules in FILE, routes.yaml by default, and print every problem at once.

    Each template is rendered with the samples of all events that may reach it. The tests beside the rules are read too.

    Exit code 0: the rules can be used. 1: there are problems. 2: there is no such file.
    """
    ctx.with_resource(unswept())  # what is read lives until the answer, which ends the process
    from bridge.rehearsal import check

    if not file.exists():
        raise click.UsageError(f"there is no file {file}; bridge init writes rules to begin with")
    checked = check(file, os.environ)
    told = _asked(checked.loaded, file, data) if online and checked.loaded else Told((), (), ())
    answers = (*told.sources, *told.targets)
    problems = sorted([*checked.problems, *(each.problem for each in answers if each.problem)])
    warnings = sorted({*checked.warnings, *told.warnings})
    if form == "json":
        screen.dump(_shapes(problems, warnings, told if online else None))
    else:
        _tell(file, problems, warnings, answers)
    ctx.exit(1 if problems or (strict and warnings) else 0)


def _asked(loaded: "Loaded", file: Path, data: Path) -> Told:
    import asyncio

    return asyncio.run(_ask(loaded, file, data))


async def _ask(loaded: "Loaded", file: Path, data: Path) -> Told:
    from bridge.cli.remotely import remotely
    from bridge.component.client import Client
    from bridge.config.problems import Problems
    from bridge.rehearsal.account import Names, ask_sources
    from bridge.rehearsal.online import ask

    async def ask_names(source: str, kinds: Sequence[str]) -> Names:
        async with remotely(data, file) as remote:
            names: Names = (await remote.names(source, kinds))["names"]
            return names

    problems = Problems(loaded.located)
    async with Client() as http:
        targets = await ask(loaded.ruleset.targets.values(), http, problems)
    sources = await ask_sources(loaded, ask_names, problems)
    return Told(sources, targets, problems.warnings)


def _tell(
    file: Path, problems: "Sequence[Problem]", warnings: "Sequence[Problem]", answers: "Sequence[Answered]"
) -> None:
    for problem in (*problems, *warnings):
        screen.say(screen.clean(problem))
    for answer in answers:
        if not answer.problem:
            screen.note(screen.clean(answer))
    screen.note(_summary(file, len(problems), len(warnings)))


def _shapes(problems: "Sequence[Problem]", warnings: "Sequence[Problem]", told_online: Told | None) -> JsonObject:
    told: JsonObject = {
        "problems": [_shape(each) for each in problems],
        "warnings": [_shape(each) for each in warnings],
    }
    if told_online is not None:
        told["sources"] = list(map(_answer, told_online.sources))
        told["targets"] = list(map(_answer, told_online.targets))
    return told


def _answer(answered: "Answered") -> JsonObject:
    problem = answered.problem.message if answered.problem else None
    return {"name": answered.name, "found": answered.found, "problem": problem}


def _shape(problem: "Problem") -> JsonObject:
    place = problem.place
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
    }


def _summary(file: Path, problems: int, warnings: int) -> str:
    if not problems and not warnings:
        return f"{file}: no problems"
    counts = [screen.counted(problems, "problem"), *([screen.counted(warnings, "warning")] if warnings else [])]
    return f"{file}: {', '.join(counts)}"
