"""The google_sheets target: one row a key, found by its key in column A, changed or added."""

import asyncio
from typing import Final
from weakref import WeakValueDictionary

from bridge.component import Answer, Http, Links, Request, Target
from bridge.component.http import json_body
from bridge.errors import AccessRefused, PermanentFailure
from bridge.model import JsonObject, Message, Rate, Receipt
from bridge.options import Secret
from bridge.targets.google_sheets.api import Sheet
from bridge.targets.google_sheets.cells import KEY, cell, cells, missing, place_of
from bridge.targets.google_sheets.options import GoogleSheetsAction, GoogleSheetsOptions


class Turn(asyncio.Lock):
    """Whose turn it is at one sheet: two that add a row at once would both find that there is none."""


TURNS: Final[WeakValueDictionary[tuple[str, str], Turn]] = WeakValueDictionary()
"""One for each sheet, whichever targets write to it: at a reload the former ones finish what they are at."""


class GoogleSheets(Target[GoogleSheetsOptions, GoogleSheetsAction]):
    """Keeps one row a key. Before each message it looks for the row, so that none is added twice."""

    Options = GoogleSheetsOptions
    Action = GoogleSheetsAction
    main_field = "row"
    rate = Rate(60, 60.0)
    """Google lets an account read 60 times a minute, and write as often; a message does each once."""
    over_http = True
    idempotent = True

    def __init__(self, name: str, options: GoogleSheetsOptions) -> None:
        """Prepare the way to the sheet; nothing is asked yet."""
        super().__init__(name, options)
        self._sheet = Sheet(options)
        self._turn = TURNS.setdefault((options.spreadsheet, options.sheet), Turn())

    @property
    def token(self) -> Secret | None:
        """Return the access token that was used last."""
        return self._sheet.token

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Bring the row of the message's key to what the entry says."""
        action = self.action(message)
        async with self._turn:
            names, keys = await self._sheet.read(http)
            if not names:
                names = [KEY, *action.row]
                await self._sheet.write(http, 1, names)
            if strange := missing(names, action.row):
                raise PermanentFailure(f'row 1 of the sheet has no column "{strange[0]}"')
            return await self._written(message.key, action, names, place_of(message.key, keys), http)

    async def _written(
        self, key: str, action: GoogleSheetsAction, names: list[str], number: int | None, http: Http
    ) -> Receipt:
        row = cells(names, key, action.row, delete=action.delete)
        if number is not None:
            await self._sheet.write(http, number, row)
            return Receipt(200, f"row {number} was written")
        if action.delete:
            return Receipt(200, "there is no row to empty")
        await self._sheet.append(http, row)
        return Receipt(200, "a row was added")

    def upserts(self, content: JsonObject) -> bool:
        """Tell that each message replaces what the one before it said of its row."""
        return True

    async def probe(self, http: Http) -> str:
        """Read the names of the columns; whether it may write, only a message shows."""
        names, _ = await self._sheet.read(http)
        if names and not names[0]:
            raise AccessRefused("cell A1 is empty: name the column of the keys there")
        columns = ", ".join(names) or "none yet"
        return f'reads the sheet "{self.options.sheet}", columns: {columns}'

    def accepted(self, request: Request, number: int) -> Answer:
        """Return an access token, or what an empty sheet answers."""
        if "/spreadsheets/" not in request.url:
            return Answer(200, {}, json_body({"access_token": "of-a-test", "expires_in": 3600}))
        return Answer(200, {}, json_body({"valueRanges": [{}, {}]} if request.method == "GET" else {}))

    def preview(self, content: JsonObject) -> str:
        """Return the row, a cell on each line."""
        head = f"{self.options.sheet}{' · emptied' if content.get('delete') else ''}"
        row = content.get("row")
        written = row.items() if isinstance(row, dict) else ()
        return "\n".join([head, *(f"{name}: {cell(value)}" for name, value in written)])
