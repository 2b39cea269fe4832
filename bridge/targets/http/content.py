"""What a request carries: as bytes, as people read it, and data that can only be text in it."""

import html
import json
import re
from functools import cache
from typing import Final
from urllib.parse import urlencode

from bridge.component.http import json_body
from bridge.model import JsonObject
from bridge.targets.http.address import pairs
from bridge.targets.http.options import HttpAction

CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]+")


def in_xml(data: str) -> str:
    """Return data as XML holds it: text, or the value of an attribute, and nothing else."""
    return html.escape(_not_xml().sub(" ", data))


@cache
def _not_xml() -> re.Pattern[str]:
    """Return what finds characters that XML 1.0 cannot hold, however they are written; it takes long to compile."""
    return re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def one_line(data: str) -> str:
    """Return data as a header holds it."""
    return CONTROLS.sub(" ", data)


def encoded_content(action: HttpAction) -> tuple[str, bytes] | None:
    """Return the content with its type, if the entry has any; a body may well be null."""
    if action.form is not None:
        return "application/x-www-form-urlencoded", urlencode(pairs(action.form)).encode()
    if action.xml is not None:
        return "application/xml; charset=utf-8", action.xml.encode()
    if action.text is not None:
        return "text/plain; charset=utf-8", action.text.encode()
    return ("application/json", json_body(action.body)) if "body" in action.model_fields_set else None


def shown(content: JsonObject) -> str:
    """Return the content of a rendered action as people read it."""
    if "body" in content:
        return json.dumps(content["body"], indent=2, ensure_ascii=False)
    form = content.get("form")
    if isinstance(form, dict):
        return "\n".join(f"{name}={value}" for name, value in form.items())
    return str(content.get("text") or content.get("xml") or "")
