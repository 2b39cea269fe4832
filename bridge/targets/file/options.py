"""What a file target and its deliver entries take."""

import re
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, field_validator, model_validator

from bridge.component import Action, TargetOptions
from bridge.component.occasion import ZoneName
from bridge.options import is_stand_in

NAME: Final = re.compile(r"[^\W_][\w-]{0,99}")
"""What a file may be called, before the day and the ending: no dot and no slash, so it never leaves its folder."""
UNITS: Final = {"kB": 10**3, "MB": 10**6, "GB": 10**9}
SIZE: Final = re.compile(r"(?P<number>[1-9]\d{0,5}) ?(?P<unit>kB|MB|GB)")
OWN: Final = ("delivery_id", "key")
"""What bridge writes into each line itself."""


def _in_bytes(written: object) -> object:
    found = SIZE.fullmatch(written) if isinstance(written, str) else None
    if found is None:
        raise ValueError('must be a size such as "100 MB"')
    return int(found["number"]) * UNITS[found["unit"]]


def _named(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError('must begin with a letter or a digit, and go on with these, "-" and "_", at most 100')
    return name


Size: TypeAlias = Annotated[int, BeforeValidator(_in_bytes, json_schema_input_type=str)]
Column: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]


class FileOptions(TargetOptions):
    """What a file target takes."""

    directory: str
    """The folder that its files are in: a whole path. It must be there, and no file is written elsewhere."""
    format: Literal["ndjson", "csv"] = "ndjson"
    """`ndjson`, a JSON object on each line, or `csv`, which needs `columns`."""
    columns: list[Column] | None = Field(default=None, min_length=1)
    """The columns, in their order; without them a line of NDJSON has whatever its entry writes."""
    rotate: Literal["day", "month", "never"] = "day"
    """When a new file is begun, with the day or the month in its name."""
    max_size: Size | None = None
    """The size that a file may have, such as `100 MB`; then the next one is begun, with a number in its name."""
    formulas: Literal["inert", "keep"] = "inert"
    """Whether a text of CSV that a spreadsheet takes for a formula gets an apostrophe before it."""
    timezone: ZoneName = "America/Sao_Paulo"
    """The time zone that days and months begin in."""

    @field_validator("directory")
    @classmethod
    def _whole_path(cls, value: str) -> str:
        if is_stand_in(value):
            return "/nowhere"
        if not Path(value).is_absolute() or "\0" in value:
            raise ValueError("must be a whole path, such as /data/exports")
        return value

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        columns = self.columns or []
        if self.format == "csv" and not columns:
            raise ValueError('"format: csv" needs "columns"')
        if len({*columns, *OWN}) < len(columns) + len(OWN):
            raise ValueError(f"a column is named twice; {' and '.join(OWN)} are bridge's own")
        return self


class FileAction(Action):
    """What a deliver entry to a file target takes."""

    file: Annotated[str, AfterValidator(_named)]
    """The name of the file, without folder and ending, such as `deals`; the day comes behind it."""
    row: dict[str, JsonValue] = Field(min_length=1)
    """What the line holds, by name."""
