"""Rules as pages show them, made whole so that they can be checked.

A page shows a whole file, or only what it speaks of. Around a piece stands what is written below, and which piece it
is its keys tell: sections of the file (``sources:``, ``targets:`` …), a list of routes, a single route or some of its
keys, or a list of deliver entries. What a piece leaves out is the frame's: a route without ``on`` listens to
``deal.lost``, and one without ``deliver`` speaks to ``screen``.
"""

import json
import re
import shutil
from pathlib import Path

from bridge.model import Json, JsonObject
from bridge.options import StandIns, read_yaml
from tests.docs.pages import ROOT, Block, blocks
from tests.support.google_calendar import google_key

SHAPED = {
    "DISCORD_WEBHOOK_URL": "https://discord.com/api/webhooks/1234/shown",
    "TELEGRAM_BOT_TOKEN": "123456:shown",
    "SALES_CALENDAR": "shown@group.calendar.google.com",
    "FEED_SECRET": "a-secret-of-some-length",
}
"""Values of which more is wanted than that they are there."""
ROUTE: JsonObject = {"name": "shown", "on": "deal.lost", "deliver": [{"to": "screen", "text": "{{ event.name }}"}]}
FRAME: JsonObject = {
    "version": 1,
    "sources": {"crm": {"type": "rdstation_crm"}},
    "targets": {
        "sales": {"type": "slack", "token": "xoxb-1", "channel": "C0123SALES"},
        "billing": {"type": "http", "url": "https://billing.example.com"},
        "screen": {"type": "log"},
    },
    "routes": [ROUTE],
}
SECTIONS = FRAME.keys() | {"defaults", "include", "windows", "tests"}
ROUTE_KEYS = ROUTE.keys() | {"match", "when", "debounce", "digest"}
_REFERENCE = re.compile(r"\$\{(?:file:(?P<file>[^}]+)|(?P<name>\w+)(?::-[^}]*)?)\}")


class UnknownFragmentError(ValueError):
    """A piece of YAML that is no piece of rules."""


def whole(text: str) -> str:
    """Return a rules file that holds a piece of one; a whole file stays as it is written."""
    read = read_yaml(text.encode(), "shown.yaml")
    if read.problems:
        raise UnknownFragmentError("; ".join(map(str, read.problems)))
    data = read.data
    if isinstance(data, dict) and "version" in data:
        return text
    return json.dumps(_framed(data), ensure_ascii=False, indent=1)


def _framed(data: Json) -> JsonObject:
    if isinstance(data, dict) and data and data.keys() <= SECTIONS:
        return {**FRAME, **data, "targets": _together(FRAME["targets"], data.get("targets", {}))}
    if isinstance(data, dict) and data and data.keys() <= ROUTE_KEYS:
        return {**FRAME, "routes": [{**ROUTE, **data}]}
    if isinstance(data, list) and all(isinstance(item, dict) for item in data):
        if all("to" in item for item in data if isinstance(item, dict)):
            return {**FRAME, "routes": [{**ROUTE, "deliver": data}]}
        return {**FRAME, "routes": data}
    raise UnknownFragmentError("neither a file, nor sections, routes, a route or deliver entries")


def _together(frame: Json, shown: Json) -> Json:
    return {**frame, **shown} if isinstance(frame, dict) and isinstance(shown, dict) else shown


def stand_in(name: str) -> str:
    """Return a value that a variable of that name could have."""
    if name in SHAPED:
        return SHAPED[name]
    if "DATABASE_URL" in name:
        return "postgresql://bridge:secret@db.example/bi"
    if "URL" in name:
        return "https://hooks.example.com/shown"
    if name.endswith(("_FILE", "_WEBHOOK_SECRET")):
        return StandIns.value(name)
    return google_key("https://oauth2.example.com/token") if name == "GOOGLE_KEY" else "value"


def outside(text: str, folder: Path) -> tuple[str, dict[str, str]]:
    """Return the text and the environment in which each reference to a value from outside gives one."""
    environ = {match["name"]: stand_in(match["name"]) for match in _REFERENCE.finditer(text) if match["name"]}
    secret = folder / "secret"
    secret.write_text("value\n", encoding="utf-8")
    return re.sub(r"\$\{file:[^}]+\}", f"${{file:{secret}}}", text), environ


def parts(page: Path) -> list[Block]:
    """Return the blocks of a page that are files which rules on that page include: their title is a path."""
    return [block for block in blocks(page) if block.language == "yaml" and block.title]


def lay_out(block: Block, folder: Path) -> tuple[Path, dict[str, str]]:
    """Write the rules that a block shows, with the templates that come with bridge, and what else its page shows."""
    shutil.copytree(ROOT / "templates", folder / "templates")
    for template in blocks(block.page):
        if template.language == "jinja" and template.title.startswith("templates/"):
            path = folder / template.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(template.text, encoding="utf-8")
    text, environ = outside(whole(block.text), folder)
    for part in parts(block.page):
        path = folder / part.title
        path.parent.mkdir(exist_ok=True)
        inner, more = outside(part.text, folder)
        path.write_text(inner, encoding="utf-8")
        environ |= more
    (folder / "routes.yaml").write_text(text, encoding="utf-8")
    return folder / "routes.yaml", environ
