"""A sheet of Google Sheets on a real socket, beside the same account as the calendar of tests."""

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final
from urllib.parse import unquote

from aiohttp import web

from tests.support.google_calendar import FakeGoogleCalendar, RefusedError, Thing, google_key
from tests.support.openapi import GOOGLE_SHEETS, Asked, Service

SPREADSHEET: Final = "1AbCdEfGhIjKlMnOpQrStUvWxYz"
SHEET: Final = "Negócios d'água"
OPERATION: Final = re.compile(
    r"/v4/spreadsheets/(?P<id>[^/]+)/values(?P<verb>:batchGet)?(/(?P<range>[^:]+)(?P<add>:append)?)?"
)
RANGE: Final = re.compile(r"'(?P<sheet>(?:[^']|'')+)'!(?P<first>[A-Z]*\d*)(:(?P<last>[A-Z]*\d*))?")
STATES: Final = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}


@dataclass
class FakeGoogleSheets(FakeGoogleCalendar):
    """The sheet: rows of cells, from the first one on."""

    prefix: ClassVar[str] = "/v4"
    service: ClassVar[Service] = GOOGLE_SHEETS

    rows: list[list[Any]] = field(default_factory=list)

    def options(self, **more: Any) -> Thing:
        """Return the options of a target that is of this sheet's service account."""
        known = {
            "spreadsheet": SPREADSHEET,
            "sheet": SHEET,
            "service_account": google_key(f"{self.url}/token"),
            "api_url": f"{self.url}/v4",
        }
        return known | more

    def lines(self) -> list[str]:
        """Return the requests, by what they do."""
        kinds = {"GET": "read", "PUT": "write", "POST": "append"}
        return [kinds[asked.method] for asked in self.asked]

    async def _read(self, request: web.Request) -> Asked:
        path = request.rel_url.raw_path  # as the contract has its paths
        query: dict[str, str | list[str]] = {name: request.query.getall(name) for name in request.query}
        return Asked(request.method, path, query, await request.read(), dict(request.headers))

    def _done(self, asked: Asked) -> Thing:
        found = OPERATION.fullmatch(asked.path)
        assert found, asked.path
        if found["id"] != SPREADSHEET:
            raise RefusedError(404, "notFound")
        if self.role != "writer" and asked.method != "GET":
            raise RefusedError(403, "The caller does not have permission")
        if found["verb"]:
            return {"spreadsheetId": SPREADSHEET, "valueRanges": [self._told(each) for each in asked.query["ranges"]]}
        where = _part(unquote(found["range"]))
        assert asked.query["valueInputOption"] == ["RAW"], "a formula would be one"
        (row,) = asked.json["values"]
        number = len(self.rows) + 1 if found["add"] else int(where["first"][1:])
        self._keep(number, row)
        updated = {"spreadsheetId": SPREADSHEET, "updatedRange": f"A{number}", "updatedRows": 1}
        return {"spreadsheetId": SPREADSHEET, "updates": updated} if found["add"] else updated

    def _told(self, written: str) -> Thing:
        """Return a range; empty rows and cells at its end are left out, and so is what holds nothing."""
        where = _part(written)
        rows = self.rows[:1] if where["first"] == "1" else [row[:1] for row in self.rows]
        values = [_trimmed(row) for row in rows]
        while values and not values[-1]:
            values.pop()
        return {"range": written, "majorDimension": "ROWS", **({"values": values} if values else {})}

    def _keep(self, number: int, row: list[Any]) -> None:
        assert all(not isinstance(cell, str) or len(cell) <= 50_000 for cell in row)
        while len(self.rows) < number:
            self.rows.append([])
        kept = self.rows[number - 1]
        kept += [""] * (len(row) - len(kept))
        for place, cell in enumerate(row):
            if cell is not None:
                kept[place] = cell

    def _error(self, status: int, reason: str) -> Thing:
        state = "RESOURCE_EXHAUSTED" if reason == "quota" else STATES.get(status, "UNAVAILABLE")
        return {"error": {"code": status, "message": reason, "status": state}}


def _part(written: str) -> dict[str, str]:
    found = RANGE.fullmatch(written)
    if found is None or found["sheet"].replace("''", "'") != SHEET:
        raise RefusedError(400, f"Unable to parse range: {written}")
    return {name: value or "" for name, value in found.groupdict().items()}


def _trimmed(row: list[Any]) -> list[Any]:
    kept = list(row)
    while kept and kept[-1] == "":
        kept.pop()
    return kept
