"""``bridge check``."""

import asyncio
import gc
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli import options, screen
from bridge.model import JsonObject

if TYPE_CHECKING:
    from bridge.config import Loaded
    from bridge.options import Problem
    from bridge.rehearsal.online import Answered


@click.command(short_help="Print every problem of the rules.")
@click.argument(
    "file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    default="routes.yaml",
    envvar="BRIDGE_ROUTES",
)
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@click.option("--online", is_flag=True, help="Ask the service of each target whether it would take messages.")
@options.output
@click.pass_context
def command(ctx: click.Context, *, file: Path, strict: bool, online: bool, form: str) -> None:
    """Check the rules in FILE, routes.yaml by default, and print every problem at once.

    Each template is rendered with the samples of all events that may reach it. The tests beside the rules are read too.

    Exit code 0: the rules can be used. 1: there are problems. 2: there is no such file.
    """
    gc.disable()  # what is read lives until the answer, which ends the process: to look for garbage costs a tenth of it
    ctx.call_on_close(gc.enable)
    from bridge.rehearsal import check

    checked = check(file, os.environ)
    answers = asyncio.run(_answers(checked.loaded)) if online and checked.loaded else []
    problems = sorted([*checked.problems, *(each.problem for each in answers if each.problem)])
    if form == "json":
        screen.dump(_shapes(problems, checked.warnings, answers if online else None))
    else:
        _tell(file, problems, checked.warnings, answers)
    ctx.exit(1 if problems or (strict and checked.warnings) else 0)


async def _answers(loaded: "Loaded") -> "Sequence[Answered]":
    from bridge.component.client import Client
    from bridge.config.problems import Problems
    from bridge.rehearsal.online import ask

    async with Client() as http:
        return await ask(loaded.ruleset.targets.values(), http, Problems(loaded.located))


def _tell(
    file: Path, problems: "Sequence[Problem]", warnings: "Sequence[Problem]", answers: "Sequence[Answered]"
) -> None:
    for problem in (*problems, *warnings):
        screen.say(screen.clean(problem))
    for answer in answers:
        if not answer.problem:
            screen.note(screen.clean(answer))
    screen.note(_summary(file, len(problems), len(warnings)))


def _shapes(
    problems: "Sequence[Problem]", warnings: "Sequence[Problem]", answers: "Sequence[Answered] | None"
) -> JsonObject:
    told: JsonObject = {
        "problems": [_shape(each) for each in problems],
        "warnings": [_shape(each) for each in warnings],
    }
    if answers is not None:
        told["targets"] = [
            {"name": each.target, "found": each.found, "problem": each.problem.message if each.problem else None}
            for each in answers
        ]
    return told


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
