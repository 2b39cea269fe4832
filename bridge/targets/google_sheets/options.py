"""What a google_sheets target and its deliver entries take."""

import re
from typing import Annotated, Final, Self, TypeAlias

from pydantic import AfterValidator, Field, JsonValue, model_validator

from bridge.component import Action
from bridge.component.google import AccountOptions
from bridge.options import is_stand_in
from bridge.options.address import Address

IN_AN_ADDRESS: Final = re.compile(r"https://docs\.google\.com/spreadsheets/d/(?P<id>[\w-]+)(/.*)?")
ID: Final = re.compile(r"[\w-]{10,200}")


def _spreadsheet(written: str) -> str:
    if is_stand_in(written):
        return "of-a-stand-in"
    found = IN_AN_ADDRESS.fullmatch(written)
    if found is None and not ID.fullmatch(written):
        raise ValueError("must be the address of a spreadsheet, https://docs.google.com/spreadsheets/d/…, or its id")
    return found["id"] if found else written


Spreadsheet: TypeAlias = Annotated[str, AfterValidator(_spreadsheet)]


class GoogleSheetsOptions(AccountOptions):
    """What a google_sheets target takes: `spreadsheet`, `sheet`, and `service_account` or `consent`."""

    concurrency: int = Field(default=1, ge=1, le=1)
    """How many rows may be written at once: always one, for each looks for its place first."""
    spreadsheet: Spreadsheet
    """The address of the spreadsheet, as the browser shows it, or the id in it."""
    sheet: str = Field(min_length=1, max_length=100)
    """The name of the sheet, as its tab shows it. Row 1 has the names of the columns, column A the keys."""
    api_url: Address = "https://sheets.googleapis.com/v4"
    """The API's address."""


class GoogleSheetsAction(Action):
    """What a deliver entry to a google_sheets target takes. Columns that it does not name stay as they are."""

    row: dict[str, JsonValue] = Field(default_factory=dict)
    """The cells to write, by the names in row 1. What is empty empties its cell."""
    delete: bool = False
    """Whether all cells of the row are emptied that `row` does not name, but for the key."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.row and not self.delete:
            raise ValueError('needs "row", or "delete: true"')
        return self
