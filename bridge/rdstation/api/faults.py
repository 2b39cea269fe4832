"""Every way in which the CRM's APIs refuse, read once, and said in the words of the person who has to act.

Their errors have no single shape: a text, an object of texts or of lists by field, a list of objects, or a page of
HTML. v2 answers 401 as well to the token of an application that was made for RD Station Marketing.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus

import orjson

from bridge.component.http import NOT_NOW, Answer, retry_after
from bridge.errors import (
    RemoteError,
    RemoteInvalidError,
    RemoteMissingError,
    RemoteRefusedError,
    RemoteUnavailableError,
)
from bridge.model import Json
from bridge.options import Redactor, Secret, secrets_in
from bridge.rdstation.api.options import ApiOptions

FORBIDDEN = (
    "the CRM does not allow this to these credentials: take those of a person who sees all and may manage webhooks"
)
LONGEST = 300
"""Characters of the API's own words that are told."""
_JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")
_TELLING = ("message", "error_message", "error_description", "detail", "title", "error", "error_type")
"""The members that may hold words, the most telling first."""


def fault_of(answer: Answer, options: ApiOptions, *secrets: Secret) -> RemoteError | None:
    """Return what an answer's refusal means; None if it is none.

    Its words are told without the secrets of the options, and without these: a service may repeat what it was sent.
    """
    if answer.ok:
        return None
    status, words = answer.status, _cut(blotted(_words(answer), options, *secrets))
    if status in NOT_NOW or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        wait = retry_after(answer.headers, datetime.now(UTC))
        return RemoteUnavailableError(_said("the CRM cannot answer now", status, words), status, wait)
    if status == HTTPStatus.UNAUTHORIZED:
        return RemoteRefusedError(_said(_unauthorized(options), status, words), status)
    if status == HTTPStatus.FORBIDDEN:
        return RemoteRefusedError(_said(FORBIDDEN, status, words), status)
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return RemoteMissingError(_said("the CRM has no such thing, or does not show it", status, words), status)
    return RemoteInvalidError(_said("the CRM refuses what was sent", status, words), status)


def blotted(text: str, options: ApiOptions, *secrets: Secret) -> str:
    """Return a text without what opens the API."""
    return Redactor((*secrets_in(options), *secrets_in(secrets))).redacted(text)


def _unauthorized(options: ApiOptions) -> str:
    if options.v2:
        return (
            "the CRM refuses the application: connect it again with `bridge crm login`, and see that it was made for "
            "RD Station CRM, not for RD Station Marketing"
        )
    if options.token and _JWT.fullmatch(options.token.reveal()):
        return (
            "the CRM refuses the token, which is one of OAuth: `token` is the API token from a profile in the CRM; "
            "for an application give client_id and client_secret"
        )
    return "the CRM refuses the token: copy it again from the profile of a person in RD Station CRM"


def _said(meaning: str, status: int, words: str) -> str:
    return f"{meaning} ({status}{': ' if words else ''}{words})"


def _words(answer: Answer) -> str:
    """Return what the API says itself, in one line; nothing of a page of HTML, which says nothing to anybody."""
    try:
        told = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        text = answer.excerpt.strip()
        return "" if text.startswith("<") else text
    return "; ".join(dict.fromkeys(_sentences(told)))


def _sentences(told: Json, field: str = "") -> Iterator[str]:
    """Yield each text of an error, behind the field that it is about."""
    if isinstance(told, str):
        yield f"{field}: {told}" if field else told
    elif isinstance(told, list):
        for item in told:
            yield from _sentences(item, field)
    elif isinstance(told, dict):
        yield from _of_object(told, field)


def _of_object(told: dict[str, Json], field: str) -> Iterator[str]:
    if isinstance(inner := told.get("errors"), dict | list | str):
        yield from _sentences(inner, field)
        return
    for name in _TELLING:
        if isinstance(words := told.get(name), str):
            yield from _sentences(words, field)
            return
    for name, value in told.items():
        yield from _sentences(value, name)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
