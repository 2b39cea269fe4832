"""What a chart shows: the figures and how to write them, as a deliver entry says it and a message keeps it."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from babel import Locale, UnknownLocaleError
from babel.numbers import is_currency
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, FiniteFloat, WithJsonSchema

from bridge.component.base import Strict

MOST: Final = 30
"""Bars, points or parts that a picture holds and can still be read."""
WRITTEN: Final[dict[str, Any]] = {"anyOf": [{"type": "object"}, {"type": "array"}, {"type": "string"}]}
"""How rows may be written: as an object, as a list, or as the template that gives one."""
ROWS: Final = 1000
"""Rows that may be given; those that are not shown are added up."""


class Point(Strict):
    """One row: its name, its figure, and the figure of the former period if there is one."""

    model_config = ConfigDict(extra="ignore")

    label: Annotated[str, BeforeValidator(lambda value: "" if value is None else value)] = ""
    value: FiniteFloat
    former: FiniteFloat | None = None


def _rows(value: Any) -> Any:  # noqa: ANN401 (whatever a template gives; the model judges it)
    """Return an object of labels and figures, or a list of pairs of them, as the rows they are."""
    if isinstance(value, Mapping):
        value = list(value.items())
    if not isinstance(value, list | tuple):
        return value
    return [_row(item) for item in value]


def _row(item: Any) -> Any:  # noqa: ANN401 (as above)
    if isinstance(item, list | tuple) and len(item) == 2:  # noqa: PLR2004 (a label and its figure)
        return {"label": None if item[0] is None else str(item[0]), "value": item[1]}
    return item


def _known_locale(tag: str) -> str:
    try:
        Locale.parse(tag.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        raise ValueError(f'there is no locale "{tag}"') from None
    return tag


def _known_currency(code: str) -> str:
    if not is_currency(code):
        raise ValueError(f'there is no currency "{code}"')
    return code


class Chart(Strict):
    """A chart of labelled figures."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    kind: Literal["bar", "line", "pie"] = "bar"
    """`bar` to compare, `line` for what follows upon another such as months, `pie` for parts of a whole."""
    title: str = ""
    """What stands above it."""
    data: Annotated[list[Point], BeforeValidator(_rows), Field(max_length=ROWS), WithJsonSchema(WRITTEN)]
    """What it shows: what the filter `ranked` gives, an object of labels and figures, or a list of such pairs."""
    unit: Literal["number", "money"] = "number"
    """How its figures are written: as numbers, or as money."""
    most: int = Field(default=12, ge=1, le=MOST)
    """How many rows it shows, the last of them for all the rest together. Of a line, the last rows are shown."""
    locale: Annotated[str, AfterValidator(_known_locale)] = "pt-BR"
    """The language of its figures; by default that of the file."""
    currency: Annotated[str, AfterValidator(_known_currency)] = "BRL"
    """The currency of its money; by default that of the file."""
