"""Google Sheets over HTTP: the four requests that a row needs, and what their refusals mean.

https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets.values. All is written RAW: as
USER_ENTERED a text that begins with `=` would be reckoned with.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode

from bridge.component import Http, Request
from bridge.component.http import json_body
from bridge.component.oauth import Bearer, RefusedError
from bridge.component.reading import object_in
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure
from bridge.model import Json, JsonObject
from bridge.options import Secret
from bridge.targets.google_sheets.cells import Cell, quoted
from bridge.targets.google_sheets.options import GoogleSheetsOptions

SCOPE: Final = "https://www.googleapis.com/auth/spreadsheets"
"""To read and change spreadsheets (https://developers.google.com/workspace/sheets/api/scopes)."""
MOST: Final = 16 * 2**20
"""Bytes that the names and keys of a sheet may have."""
RAW: Final = {"valueInputOption": "RAW"}
SHARE: Final = "share the spreadsheet with the account, as an editor"
NO_SHEET: Final = "Unable to parse range"
"""How Google says that a spreadsheet has no sheet of that name."""


class Sheet:
    """One sheet, as one account sees it."""

    def __init__(self, options: GoogleSheetsOptions) -> None:
        """Take the sheet and the account."""
        self._options = options
        self._tokens = options.tokens(SCOPE)
        self._bearer = Bearer(self._tokens, _sorted)
        self._url = f"{options.api_url}/spreadsheets/{quote(options.spreadsheet, safe='')}/values"
        self._name = quoted(options.sheet)

    @property
    def token(self) -> Secret | None:
        """Return the access token that was used last."""
        return self._bearer.token

    async def read(self, http: Http) -> tuple[list[str], list[Json]]:
        """Return the names in row 1, and column A with the keys; raises as ``Http.deliver``."""
        ranges = [("ranges", f"{self._name}!1:1"), ("ranges", f"{self._name}!A:A")]
        query = [*ranges, ("majorDimension", "ROWS"), ("valueRenderOption", "UNFORMATTED_VALUE")]
        told = await self._called(http, "GET", f"{self._url}:batchGet?{urlencode(query)}")
        names, keys = (_rows(each) for each in _two(told.get("valueRanges")))
        return [str(name) for name in (names[0] if names else [])], [row[0] if row else "" for row in keys]

    async def write(self, http: Http, number: int, row: Sequence[Cell]) -> None:
        """Write the cells of a row; raises as ``Http.deliver``."""
        await self._called(http, "PUT", self._at(f"A{number}", "", RAW), row)

    async def append(self, http: Http, row: Sequence[Cell]) -> None:
        """Write a row below all others; raises as ``Http.deliver``."""
        query = {**RAW, "insertDataOption": "INSERT_ROWS"}
        await self._called(
            http, "POST", self._at("A1", ":append", query), ["" if each is None else each for each in row]
        )

    def _at(self, cell: str, verb: str, query: dict[str, str]) -> str:
        return f"{self._url}/{quote(f'{self._name}!{cell}', safe='')}{verb}?{urlencode(query)}"

    async def _called(self, http: Http, method: str, url: str, row: Sequence[Cell] | None = None) -> JsonObject:
        body = None if row is None else json_body({"majorDimension": "ROWS", "values": [list(row)]})
        headers = {} if body is None else {"Content-Type": "application/json"}
        request = Request(method, url, headers, body, timeout=self._options.timeout, most=MOST)
        try:
            answer = await self._bearer.deliver(http, request)
        except RefusedError as refusal:
            failure = refusal.failure
        else:
            return object_in(answer.body)
        raise failure


def _two(ranges: Json) -> tuple[JsonObject, JsonObject]:
    if not isinstance(ranges, list) or len(ranges) != 2:  # noqa: PLR2004 (as many as were asked for)
        raise TransientFailure("Google's answer does not hold what was asked for")
    first, second = (each if isinstance(each, dict) else {} for each in ranges)
    return first, second


def _rows(told: JsonObject) -> list[list[Json]]:
    values = told.get("values")
    return [row for row in values if isinstance(row, list)] if isinstance(values, list) else []


def _sorted(failure: DeliveryFailure) -> DeliveryFailure:
    """Return what a refusal means for the delivery, in Google's words and with what can be done about it."""
    error = object_in(failure.excerpt.encode()).get("error")
    told = error if isinstance(error, dict) else {}
    words, state = str(told.get("message") or failure.reason), told.get("status")
    status, excerpt = failure.status, failure.excerpt
    if state == "RESOURCE_EXHAUSTED":
        return TransientFailure(f"Google refused it: {words}", status=status, excerpt=excerpt, throttled=True)
    if status == HTTPStatus.BAD_REQUEST and not words.startswith(NO_SHEET):
        return PermanentFailure(f"Google refused it: {words}", status=status, excerpt=excerpt)
    hint = _hint(status, words, failure.excerpt)
    return AccessRefused(f"Google refused it: {words}{f' ({hint})' if hint else ''}", status=status, excerpt=excerpt)


def _hint(status: int | None, words: str, excerpt: str) -> str:
    if words.startswith(NO_SHEET):
        return "there is no sheet of that name"
    if "SERVICE_DISABLED" in excerpt:
        return "enable the Google Sheets API in the project of the account"
    return SHARE if status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND} else ""
