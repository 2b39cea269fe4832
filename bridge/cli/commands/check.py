"""``bridge check``."""

import gc
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli import options, screen
from bridge.model import JsonObject

if TYPE_CHECKING:
    from bridge.options import Problem


@click.command(short_help="Print every problem of the rules.")
@click.argument(
    "file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    default="routes.yaml",
    envvar="BRIDGE_ROUTES",
)
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@options.output
@click.pass_context
def command(ctx: click.Context, *, file: Path, strict: bool, form: str) -> None:
    """Check the rules in FILE, routes.yaml by default, and print every problem at once.

    Exit code 0: the rules can be used. 1: there are problems. 2: there is no such file.
    """
    gc.disable()  # what is read lives until the answer, which ends the process: to look for garbage costs a tenth of it
    ctx.call_on_close(gc.enable)
    from bridge.rehearsal import check

    checked = check(file, os.environ)
    problems, warnings = checked.problems, checked.warnings
    if form == "json":
        screen.dump({"problems": [_shape(each) for each in problems], "warnings": [_shape(each) for each in warnings]})
    else:
        for problem in (*problems, *warnings):
            screen.say(screen.clean(problem))
        screen.note(_summary(file, len(problems), len(warnings)))
    ctx.exit(1 if problems or (strict and warnings) else 0)


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
