"""What ``bridge init`` prints at the end: what was written, what to set, and what to call next."""

import shlex
from pathlib import Path

from bridge.app.banner import called
from bridge.cli.screen import clean, say
from bridge.cli.starter.answers import Answers
from bridge.cli.starter.writing import EXAMPLE, RULES


def show(folder: Path, answers: Answers, kept: bool) -> None:  # noqa: FBT001 (what `write` returns)
    """Print it."""
    words = answers.words
    count = len(answers.moments)
    written = {RULES: words.rules[count > 1].format(count)}
    if answers.variables:
        written[EXAMPLE] = words.left if kept else words.example
    say(words.written)
    _facts({str(folder / name): text for name, text in written.items()})
    if answers.variables:
        say(f"\n{words.to_set}")
        _facts(answers.variables)
    say(f"\n{words.next}")
    if folder.resolve() != Path.cwd():
        say(f"  cd {clean(shlex.quote(str(folder)))}")
    program, does = called(folder), words.does
    calls = {"check": "check", "run": "run", "send": f"send {answers.moments[0]}"}
    steps = (
        {f"cp -n {EXAMPLE} .env": does["copy"], "set -a; . ./.env; set +a": does["load"]} if answers.variables else {}
    )
    _facts(steps | {f"{program} {call}": does[name] for name, call in calls.items()})


def _facts(named: dict[str, str]) -> None:
    width = max(map(len, named))
    for name, text in named.items():
        say(f"  {clean(name).ljust(width)}  {text}")
