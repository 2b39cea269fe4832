"""Lines as they are in a file: each whole, each with the id of its delivery, none of them a formula."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from bridge.component.http import json_body
from bridge.model import Json, JsonObject
from bridge.targets.file.options import OWN

CSV_END: Final = b"\r\n"
"""What ends a line of CSV (RFC 4180); a cell of several lines has others."""
NDJSON_END: Final = b"\n"
FORMULA: Final = re.compile(r"[=+\-@＝＋－＠\t\n]")  # noqa: RUF001 (the wide ones, which some take for the others)
"""How a text begins that a spreadsheet may take for a formula, as OWASP lists it under "CSV Injection"."""
BEGUN_WITHIN: Final = re.compile(r"(?<=[,;\t\n\"])[=+\-@＝＋－＠][^,;\t\n\"]*")  # noqa: RUF001 (the same)
"""What would begin a cell for a spreadsheet that separates cells by something else than a comma.

Those of Brazil separate by a semicolon, and then a quotation mark amid a cell holds nothing together.
"""
BREAKS: Final = re.compile(r"\r\n?")


def ndjson(delivery_id: str, key: str, row: JsonObject, columns: Sequence[str] | None) -> bytes:
    """Return a line of NDJSON."""
    told = {name: row.get(name) for name in columns} if columns else row
    return json_body(_whole({OWN[0]: delivery_id, OWN[1]: key, **told})) + NDJSON_END


def csv_line(delivery_id: str, key: str, row: JsonObject, columns: Sequence[str], *, inert: bool) -> bytes:
    """Return a line of CSV."""
    return _csv([_cell(value, inert=inert) for value in (delivery_id, key, *(row.get(name) for name in columns))])


def csv_head(columns: Sequence[str]) -> bytes:
    """Return the first line of a file of CSV."""
    return _csv([*OWN, *columns])


def mark(delivery_id: str, *, is_csv: bool) -> bytes:
    """Return what a line of this delivery begins with."""
    return f"{delivery_id},".encode() if is_csv else f'{{"{OWN[0]}":{json.dumps(delivery_id)},'.encode()


def safe_name(data: str) -> str:
    """Return data as it may be a piece of a file's name."""
    return re.sub(r"[^\w-]", "_", data)


def _csv(cells: Sequence[str]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator=CSV_END.decode()).writerow(cells)
    return buffer.getvalue().encode("utf-8", "replace")


def _cell(value: Json, *, inert: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    one = BREAKS.sub("\n", text.replace("\0", "\ufffd"))
    return _inert(one) if inert else one


def _inert(text: str) -> str:
    """Return a text with an apostrophe before whatever a spreadsheet may take for a formula."""
    within = BEGUN_WITHIN.sub(lambda found: found[0] if _is_number(found[0]) else f"'{found[0]}", text)
    return f"'{within}" if FORMULA.match(text) and not _is_number(text) else within


def _is_number(text: str) -> bool:
    """Tell whether a text is a number, as telephones with a plus and amounts below zero are: it reckons nothing."""
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _whole(value: Json) -> Json:
    """Return a value without halves of characters, which no file can hold."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_whole(each) for each in value]
    if isinstance(value, Mapping):
        return {str(_whole(name)): _whole(each) for name, each in value.items()}
    return value
