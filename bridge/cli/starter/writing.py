"""The files of ``bridge init`` on the disk: nothing that was there is lost, unless that was asked for."""

from pathlib import Path

from bridge.cli.starter.answers import Answers
from bridge.cli.starter.rules import example, rules
from bridge.errors import BridgeError

RULES, EXAMPLE = "routes.yaml", ".env.example"


def is_there(folder: Path) -> bool:
    """Tell whether a folder has rules, be it a link that leads nowhere."""
    return (folder / RULES).exists() or (folder / RULES).is_symlink()


def write(folder: Path, answers: Answers, *, force: bool) -> bool:
    """Write the rules, and the example where it is needed; return whether an example was there, and stays as it is.

    Raises:
        BridgeError: a file cannot be written, or the rules appeared in the meantime and ``force`` is not given.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _put(folder / RULES, rules(answers), "w" if force else "x")
        if answers.variables:
            _put(folder / EXAMPLE, example(answers), "x")
    except FileExistsError as error:
        if error.filename != str(folder / EXAMPLE):
            raise BridgeError(answers.words.there_already.format(folder / RULES)) from None
        return True
    except OSError as error:
        raise BridgeError(f"{error.filename}: {error.strerror}") from None
    return False


def _put(path: Path, text: str, mode: str) -> None:
    with path.open(mode, encoding="utf-8", newline="\n") as file:
        file.write(text)
