"""What a trello target and its deliver entries take."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, field_validator, model_validator

from bridge.component import Action, TargetOptions
from bridge.options import Secret, is_stand_in
from bridge.options.address import Address, parsed_address

ID: Final = re.compile(r"[0-9a-fA-F]{24}")
"""An id of Trello's."""
SHORT_LINK: Final = re.compile(r"[0-9A-Za-z]{8}")
"""What stands for a board in its address: https://trello.com/b/AbCdEf12/name."""
IN_ADDRESS: Final = re.compile(r"https://trello\.com/b/([0-9A-Za-z]{8})(?:[/?#].*)?")
SOME_BOARD: Final = "StandIn0"
"""What a test of rules writes to where no board is known."""
KEY: Final = re.compile(r"[!#-\[\]-~]+")
"""What may stand between the quotes of a header."""
DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
NOON: Final = "T12:00:00Z"
"""The time of a bare day: by then it is that day everywhere between UTC-12 and UTC+11."""


def moment_of(text: str) -> str:
    """Return a day or a moment as Trello writes it; one without an offset is in UTC.

    Raises:
        ValueError: it is neither.
    """
    try:
        moment = datetime.fromisoformat(f"{text}{NOON}" if DAY.fullmatch(text) else text)
        return f"{moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}"
    except (ValueError, OverflowError):
        raise ValueError('must be a day or a moment, such as "2026-12-24" or "2026-12-24T18:00:00-03:00"') from None


def _some_moment(value: str | None) -> str | None:
    return moment_of(value.strip()) if value and value.strip() else None


def _some_address(value: str | None) -> str | None:
    if value is None or not value.strip():
        return None
    parsed_address(value.strip())
    return value.strip()


Moment: TypeAlias = Annotated[str | None, AfterValidator(_some_moment)]
Several: TypeAlias = str | tuple[str | None, ...] | None
"""A name, or a list of names; what came out empty is none."""


def names_in(several: Several) -> tuple[str, ...]:
    """Return the names, each once and in order."""
    listed = (several,) if isinstance(several, str) else several or ()
    return tuple(dict.fromkeys(name.strip() for name in listed if name and name.strip()))


class TrelloOptions(TargetOptions):
    """What a trello target takes."""

    api_key: Secret
    """The API key of your Power-Up, from https://trello.com/power-ups/admin."""
    token: Secret
    """A token made for that key by the account that is to write the cards."""
    board: str
    """The board: its address (`https://trello.com/b/AbCdEf12/…`), or the short link or id in it."""
    list: str | None = None
    """The list for new cards whose entry names none, by its name or its id."""
    people: Mapping[str, str] = {}
    """Who is who: from an e-mail address, or a name as the CRM has it, to a user name at Trello."""
    api_url: Address = "https://api.trello.com/1"
    """The address of Trello's API."""

    @field_validator("api_key", "token")
    @classmethod
    def _one_word(cls, value: Secret) -> Secret:
        if not KEY.fullmatch(value.reveal()):
            raise ValueError("must be one word, without spaces, quotes or line breaks")
        return value

    @field_validator("board")
    @classmethod
    def _known_board(cls, value: str) -> str:
        if is_stand_in(value):
            return SOME_BOARD
        board = found[1] if (found := IN_ADDRESS.fullmatch(value)) else value
        if not (ID.fullmatch(board) or SHORT_LINK.fullmatch(board)):
            raise ValueError("must be the address of the board (https://trello.com/b/…), or the short link or id in it")
        return board


class TrelloAction(Action):
    """What a deliver entry to a trello target takes. What it does not name is left at Trello as it is."""

    name: str | None = None
    """The name of the card. An entry that has one makes the card if there is none; without one, it only changes it."""
    desc: str | None = None
    """The description, in Trello's Markdown. `template:` fills it."""
    list: str | None = None
    """The list that the card is in, by its name or its id; naming it moves the card."""
    pos: Literal["top", "bottom"] | Annotated[float, Field(ge=0)] | None = None
    """Where in its list the card stands: `top`, `bottom` or a number."""
    labels: Several = None
    """Names of labels, one or a list. One that the board lacks is made."""
    members: Several = None
    """Members of the board, one or a list: by user name, full name, id, or as `people` of the target knows them."""
    due: Moment = None
    """When the card is due: a day or a moment; empty takes it away."""
    start: Moment = None
    """When the work on it starts: a day or a moment; empty takes it away."""
    due_complete: bool | None = None
    """Whether what was due is done."""
    archived: bool | None = None
    """`true` archives the card, and makes none; `false` sends it back to the board."""
    url: Annotated[str | None, AfterValidator(_some_address)] = None
    """An address that is attached to the card, once."""
    checklists: Mapping[str, Several] = {}
    """Checklists by their names, each with its items. Items that are missing are added, none is taken away."""
    custom_fields: Mapping[str, str | bool | int | float | None] = {}
    """Custom fields of the board by their names; empty clears one."""
    comment: str | None = None
    """A comment, written once for each message."""

    @model_validator(mode="after")
    def _something_asked(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("asks for nothing: name the card, or what is to change about it")
        return self

    @property
    def makes(self) -> bool:
        """Tell whether a card is made if there is none."""
        return bool(self.name and self.name.strip()) and not self.archived
