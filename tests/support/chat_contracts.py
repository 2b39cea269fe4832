"""What requests to chats, and answers of theirs, break of the official contracts."""

import json
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from jsonschema import Draft6Validator

from tests.support.contract_server import SPECS, Seen
from tests.support.openapi import Asked, Service

DISCORD: Final = Service("discord/discord-messages.openapi.json", "https://discord.com", "/api/v10")
TELEGRAM: Final = Service("telegram/bot-api.openapi.json", "https://api.telegram.org", "/bot0:TOKEN")
WHATSAPP: Final = Service("whatsapp/whatsapp-messages.openapi.json", "https://graph.facebook.com")
JSON: Final = "application/json"


def asked_of(seen: Seen, prefix: str) -> Asked:
    """Return a request as the contract sees it: below the address of the API."""
    parts = urlsplit(seen.target)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return Asked(seen.method, parts.path.removeprefix(prefix), query, seen.body, seen.headers)


def discord_violations(seen: Seen) -> list[str]:
    """Return what a request breaks of Discord's contract, and of what that does not express."""
    if not seen.target.startswith("/api/v10/webhooks/"):
        return [f"{seen.target} is not of version 10"]
    found = DISCORD.violations(asked_of(seen, "/api/v10"))
    if not seen.body:
        return found
    if seen.headers.get("content-type") != JSON:
        found.append(f"Content-Type is not {JSON}")
    said = sum(len(text) for embed in seen.json["embeds"] for text in _texts(embed))
    if said > 6000:
        found.append(f"{said} characters in all embeds")
    if not seen.json["content"] and not seen.json["embeds"]:
        found.append("an empty message")
    if seen.json["allowed_mentions"] != {"parse": []}:
        found.append("somebody may be pinged")
    return found


def discord_reply_violations(seen: Seen, status: int, reply: Any) -> list[str]:
    """Return what an answer breaks of it."""
    return DISCORD.reply_violations(asked_of(seen, "/api/v10"), status, reply)


def _texts(embed: Any) -> list[str]:
    fields = [text for field in embed.get("fields", []) for text in (field["name"], field["value"])]
    named = [embed.get("footer", {}).get("text", ""), embed.get("author", {}).get("name", "")]
    return [embed.get("title", ""), embed.get("description", ""), *fields, *named]


def telegram_violations(seen: Seen) -> list[str]:
    """Return what a request breaks of the contract of the Bot API."""
    found = TELEGRAM.violations(_to_bot(seen)) if seen.json or not seen.target.endswith("/getMe") else []
    return found if seen.headers.get("content-type") == JSON else [*found, f"Content-Type is not {JSON}"]


def telegram_reply_violations(seen: Seen, status: int, reply: Any) -> list[str]:
    """Return what an answer breaks of it."""
    return TELEGRAM.reply_violations(_to_bot(seen), status, reply)


def _to_bot(seen: Seen) -> Asked:
    return asked_of(seen, "/".join(seen.target.split("/")[:2]))


def teams_violations(seen: Seen) -> list[str]:
    """Return what a request breaks of what a workflow takes: a message with Adaptive Cards of 28 KB at most."""
    found = [] if seen.headers.get("content-type") == JSON else [f"Content-Type is not {JSON}"]
    if len(seen.body) > 28 * 1024:
        found.append(f"{len(seen.body)} bytes")
    if seen.json.keys() != {"type", "attachments"} or seen.json["type"] != "message":
        return [*found, "not a message"]
    for each in seen.json["attachments"]:
        if each["contentType"] != "application/vnd.microsoft.card.adaptive":
            found.append(f"{each['contentType']} is no card")
        found += [f"{error.json_path}: {error.message[:300]}" for error in _card().iter_errors(each["content"])]
    return found


@cache
def _card() -> Draft6Validator:
    schema = json.loads((SPECS / "teams" / "adaptive-card-1.5.0.schema.json").read_text("utf-8"))
    return Draft6Validator({**schema, "anyOf": [{"$ref": "#/definitions/AdaptiveCard"}]})


def whatsapp_violations(seen: Seen) -> list[str]:
    """Return what a request breaks of WhatsApp's contract, and of what that does not express."""
    if not seen.headers.get("authorization", "").startswith("Bearer "):
        return ["no token"]
    if seen.method == "GET":  # about the number itself, of which the document has nothing
        return []
    found = WHATSAPP.violations(asked_of(seen, ""))
    found += [] if seen.headers.get("content-type") == JSON else [f"Content-Type is not {JSON}"]
    if not seen.json["to"].isdecimal():
        found.append(f"{seen.json['to']} is no number")
    if len(seen.json.get("text", {}).get("body", "x")) not in range(1, 4097):
        found.append("a text that is empty or too long")
    components = seen.json.get("template", {}).get("components", [])
    values = [each["text"] for component in components for each in component["parameters"]]
    if any(not value or set(value) & set("\n\t") or "     " in value for value in values):
        found.append("a value that a template does not take")
    return found if sum(map(len, values)) <= 1024 else [*found, "values too long"]


def whatsapp_reply_violations(seen: Seen, status: int, reply: Any) -> list[str]:
    """Return what an answer breaks of it."""
    return WHATSAPP.reply_violations(asked_of(seen, ""), status, reply)
