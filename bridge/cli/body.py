"""Bodies to send or explain: a sample, a file, or what stands on stdin, with some values set."""

import json
import sys
from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from secrets import token_hex

import click

from bridge.cli.screen import note
from bridge.component import AnySource
from bridge.component.discovery import source_types
from bridge.control.shapes import too_deep
from bridge.document import Slot, slot
from bridge.model import Json, JsonObject
from bridge.options import did_you_mean, nearest
from bridge.sources import _bridge

ID = "document.id="
"""How the setting of an id begins."""
TOO_DEEP = "it is nested too deeply"
CLOSED = frozenset({"won", "lost"})
"""Statuses with which the CRM sets ``closed_at`` to the time of the change."""


def story(type_: str, name: str, now: datetime) -> Sequence[JsonObject]:
    """Return the bodies after which an event name or trigger of a type of source happens, the last one at ``now``.

    Raises:
        click.UsageError: there is no sample of this name.
    """
    try:
        return _reader(type_).story(name, now)
    except KeyError:
        hint = did_you_mean(name, sample_names(type_, now))
        raise click.UsageError(f'there is no sample "{name}"; {hint or "bridge send --list shows all"}') from None


def sample_names(type_: str, now: datetime) -> Mapping[str, str]:
    """Return every name that ``story`` takes, with a description where there is one."""
    reader = _reader(type_)
    triggers = {name: each.description for name, each in reader.triggers.items() if _has_sample(reader, name, now)}
    return dict.fromkeys(reader.samples(now), "") | triggers


def read(file: str) -> Json:
    """Return the JSON of a file, or of stdin for ``-``.

    Raises:
        click.UsageError: it cannot be read, is no JSON, or is nested so deeply that no webhook is.
    """
    where = "stdin" if file == "-" else file
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8-sig")
        parsed: Json = json.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    except json.JSONDecodeError as error:
        raise click.UsageError(f"{where}:{error.lineno}:{error.colno}: no JSON: {error.msg}") from None
    except RecursionError:
        raise click.UsageError(f"{where}: {TOO_DEEP}") from None
    if too_deep(parsed):
        raise click.UsageError(f"{where}: {TOO_DEEP}")
    return parsed


def changed(told: Sequence[Json], settings: Sequence[str]) -> Sequence[Json]:
    """Return a story whose last body has every ``path=value`` set; an id is set in all of them.

    A deal that is won or lost so gets ``closed_at``, as the CRM sets it.

    Raises:
        click.UsageError: a setting names no place in the body.
    """
    *before, last = deepcopy(list(told))
    paths = [_set(last, setting) for setting in settings]
    if "document.status" in paths and "document.closed_at" not in paths:
        _close(last)
    for setting in settings:
        if setting.startswith(ID):
            for body in before:
                _set(body, setting)
    return [*before, last]


def new_id() -> str:
    """Return the setting of an id that no entity has."""
    return f"{ID}{token_hex(12)}"


def _reader(type_: str) -> AnySource:
    if type_ == _bridge.NAME:
        return _bridge.OWN
    kind = source_types()[type_]
    return kind(type_, kind.Options())


def _has_sample(reader: AnySource, name: str, now: datetime) -> bool:
    try:
        reader.sample(name, now)
    except KeyError:
        return False
    return True


def _set(body: Json, setting: str) -> str:
    path, equals, text = setting.partition("=")
    if not (path and equals):
        raise click.UsageError(f'"{setting}" sets nothing; write --set path=value, such as document.status=lost')
    if _is_inside(body, first := path.split(".", maxsplit=1)[0]):
        raise click.UsageError(f'--set {path}: there is no "{first}" in the body; did you mean document.{path}?')
    try:
        place = slot(body, path)
    except LookupError as error:
        raise click.UsageError(f'--set {path}: there is no "{error.args[0]}" in the body') from None
    _warn_of_new(place, path)
    place.fill(_value(text, place.value))
    return path


def _warn_of_new(place: Slot, path: str) -> None:
    """Tell of a field that the sample does not have, if one like it is there: rules would not read it."""
    if isinstance(place.holder, dict) and place.key not in place.holder:
        near = nearest(str(place.key), place.holder)
        if near is not None:
            note(f'--set {path}: "{place.key}" is new to the sample; did you mean "{near}"?')


def _is_inside(body: Json, name: str) -> bool:
    """Tell whether a name is none of the body, but of the document in it."""
    document = body.get("document") if isinstance(body, dict) else None
    return isinstance(body, dict) and name not in body and isinstance(document, dict) and name in document


def _value(text: str, before: Json) -> Json:
    """Return JSON, or else the text; where a text stood, a number is one too: ids and phone numbers are texts."""
    try:
        value: Json = json.loads(text)
    except json.JSONDecodeError:
        return text
    return text if isinstance(before, str) and isinstance(value, int | float) else value


def _close(body: Json) -> None:
    document = body.get("document") if isinstance(body, dict) else None
    if isinstance(document, dict) and "closed_at" in document:
        document["closed_at"] = document.get("updated_at") if document.get("status") in CLOSED else None
