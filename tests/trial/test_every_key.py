"""A key that is accepted has an effect: with it, a story of events ends otherwise than without it.

The story is told on a stage, as `bridge test` does. What is seen of it: each delivery with its message, its times and
its end, and each request that left. A key of which no case is told here fails the tests.
"""

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

import jwt
import pytest
from pydantic import BaseModel, TypeAdapter

from bridge.chart import Chart
from bridge.component import Answer, Request, SourceOptions, TargetOptions
from bridge.component.discovery import source_types, target_types
from bridge.component.limits import BreakerOptions, RetryOptions
from bridge.config import load
from bridge.config.frame import DefaultsFrame, DeliverFrame, EntryFrame, FileFrame, RouteFrame, TermsFrame
from bridge.config.timing_frame import DigestFrame, WindowFrame
from bridge.config.trial_frame import Reply
from bridge.model import Json
from bridge.ruleset import Ruleset
from bridge.store.nouns import DeliveryQuery
from bridge.trial import MovedClock
from bridge.trial.service import PlayedHttp
from bridge.trial.stage import Stage
from tests.support.changes import event_of
from tests.support.deals import Deal
from tests.support.google_calendar import google_key

BEGIN: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BASE: Final[dict[str, Any]] = {
    "version": 1,
    "sources": {"crm": {"type": "rdstation_crm"}},
    "targets": {
        "hook": {"type": "http", "url": "https://hooks.example.com/a"},
        "chat": {"type": "slack", "token": "xoxb-1", "channel": "C1"},
        "forum": {"type": "discord", "webhook_url": "https://discord.com/api/webhooks/1/a"},
        "group": {"type": "telegram", "token": "1:a", "chat": "-1"},
        "office": {"type": "teams", "workflow_url": "https://teams.example.com/a?sig=b"},
        "phone": {"type": "whatsapp", "token": "a", "phone_number_id": "1"},
        "agenda": {
            "type": "google_calendar",
            "calendar": "a@b",
            "service_account": google_key("https://token.example"),
        },
        "cloud": {"type": "caldav", "url": "https://dav.example", "calendar": "a", "username": "b", "password": "c"},
        "outlook": {
            "type": "microsoft_calendar",
            "tenant": "t",
            "client_id": "a",
            "client_secret": "b",
            "mailbox": "a@b.example",
        },
        "feed": {"type": "calendar_feed", "secrets": ["a-secret-of-some-length"]},
        "tasks": {"type": "asana", "token": "a", "project": "1204000000000001", "section": "Novas"},
        "board": {"type": "trello", "api_key": "a", "token": "b", "board": "AbCdEf12", "list": "Novas"},
        "rows": {"type": "database", "url": "sqlite:////a.db", "tables": {"t": {"columns": {"a": "text"}}}},
        "sheet": {
            "type": "google_sheets",
            "spreadsheet": "1AbCdEfGhIjKl",
            "sheet": "a",
            "service_account": google_key("https://token.example"),
        },
        "lines": {"type": "file", "directory": "/nowhere"},
        "screen": {"type": "log"},
    },
    "windows": {"office": {}},
    "routes": [
        {
            "name": "lost",
            "on": "deal.lost",
            "deliver": [
                {"to": "hook", "body": {"total": "{{ deal.amount_total | money }}", "at": "{{ now | datetime }}"}}
            ],
        },
        {"name": "other", "on": "deal.lost", "deliver": [{"to": "screen", "text": "{{ deal.name }}"}]},
        {"name": "own", "on": "bridge.*", "deliver": [{"to": "screen", "text": "{{ event.name }}"}]},
    ],
}
STAMP: Final = re.compile(r"(CREATED|DTSTAMP|LAST-MODIFIED):\w+\r\n")
FAILING: Final = [500] * 12
"""What the service answers first where a case is of what then happens."""
BLOCKS: Final[Json] = [{"type": "divider"}]
FORUM: Final = ("routes.0.deliver.0", {"to": "forum", "text": "x"})
GROUP: Final = ("routes.0.deliver.0", {"to": "group", "text": "x"})
OFFICE: Final = ("routes.0.deliver.0", {"to": "office", "text": "x"})
PHONE: Final = (
    "routes.0.deliver.0",
    {"to": "phone", "recipient": "11 98765-4321", "template_name": "a", "text": "https://x.example"},
)
APPROVED: Final = ("routes.0.deliver.0", {"to": "phone", "recipient": "11 98765-4321", "template_name": "a"})
OWN_CARD: Final = ("routes.0.deliver.0", {"to": "office", "card": {"body": []}})
CARD: Final = ("routes.0.deliver.0", {"to": "board", "name": "x"})
CHAT: Final = ("routes.0.deliver.0", {"to": "chat", "text": "x"})
SHOWN: Final = (
    "routes.0.deliver.0",
    {"to": "chat", "text": "x", "chart": {"title": "a", "data": {"a": 3000, "b": 1}}},
)
MEETING: Final = ("routes.0.deliver.0", {"to": "agenda", "summary": "x", "start": "2026-12-24T15:00"})
VISIT: Final = ("routes.0.deliver.0", {"to": "cloud", "summary": "x", "start": "2026-12-24T15:00"})
CALL: Final = ("routes.0.deliver.0", {"to": "cloud", "kind": "todo", "summary": "x", "due": "2026-12-24T15:00"})
SHOWN_DAY: Final = ("routes.0.deliver.0", {"to": "feed", "summary": "x", "start": "2026-12-24T15:00"})
INVITED: Final = ("routes.0.deliver.0.attendees", ["a@b.example"])
SHEET: Final = ("routes.0.deliver.0", {"to": "sheet", "row": {"a": "x"}})
LINE: Final = ("routes.0.deliver.0", {"to": "lines", "file": "t", "row": {"a": "x"}})
ROW: Final = ("routes.0.deliver.0", {"to": "rows", "table": "t", "row": {"a": "x"}})
OUTLOOK: Final = ("routes.0.deliver.0", {"to": "outlook", "summary": "x", "start": "2026-12-24T15:00"})
TASK: Final = ("routes.0.deliver.0", {"to": "tasks", "name": "x"})
GATHERED: Final = ("routes.0.deliver.0.body", "{{ now | datetime }}")
DIGEST: Final = ("routes.0.digest", {"at": "18:00"})
IN_OFFICE: Final = ("routes.0.deliver.0.within", "office")
SOME: Final = ("targets.hook.breaker", {"least": 3})
LONG: Final = ("targets.hook.breaker", {"least": 3, "window": "1h"})


class Case(NamedTuple):
    """A key at its place with a value; ``beside`` stands in the rules with it and without it."""

    place: str
    value: Json
    beside: tuple[tuple[str, Any], ...] = ()
    answers: tuple[int | str, ...] = ()


ENTRY = "routes.0.deliver.0"
CASES: Final[Mapping[str, Case]] = {
    "FileFrame.include": Case("include", ["more.yaml"]),
    "FileFrame.defaults": Case("defaults", {"locale": "en"}),
    "FileFrame.windows": Case("windows.office", {"from": "18:00"}, (IN_OFFICE,)),
    "FileFrame.targets": Case("targets.hook.url", "https://hooks.example.com/b"),
    "FileFrame.routes": Case("routes.1.deliver.0.text", "y"),
    "DefaultsFrame.locale": Case("defaults.locale", "en"),
    "DefaultsFrame.timezone": Case("defaults.timezone", "Asia/Tokyo"),
    "DefaultsFrame.currency": Case("defaults.currency", "EUR"),
    "DefaultsFrame.deliver": Case("defaults.deliver", {"ordering": "none"}),
    "DeliverFrame.retry": Case("defaults.deliver.retry", {"first": "1m"}, (), (500,)),
    "DeliverFrame.on_unknown": Case("defaults.deliver.on_unknown", "park", (), ("timeout",)),
    "DeliverFrame.ordering": Case("defaults.deliver.ordering", "none"),
    "DeliverFrame.supersede": Case("defaults.deliver.supersede", True, (), tuple(FAILING)),
    "RouteFrame.name": Case("routes.0.name", "gone"),
    "RouteFrame.on": Case("routes.0.on", "deal.won"),
    "RouteFrame.match": Case("routes.0.match", {"amount_total": {"gt": 10**9}}),
    "RouteFrame.when": Case("routes.0.when", "deal.name == 'nobody'"),
    "RouteFrame.debounce": Case("routes.0.debounce", "10m"),
    "RouteFrame.digest": Case("routes.0.digest", {"at": "18:00"}, (GATHERED,)),
    "RouteFrame.deliver": Case("routes.0.deliver.0.body", {}),
    "EntryFrame.to": Case(f"{ENTRY}.to", "screen", ((ENTRY, {"to": "chat", "text": "x"}),)),
    "EntryFrame.retry": Case(f"{ENTRY}.retry", {"first": "1m"}, (), (500,)),
    "EntryFrame.on_unknown": Case(f"{ENTRY}.on_unknown", "park", (), ("timeout",)),
    "EntryFrame.ordering": Case(f"{ENTRY}.ordering", "none"),
    "EntryFrame.supersede": Case(f"{ENTRY}.supersede", True, (), tuple(FAILING)),
    "EntryFrame.key": Case(f"{ENTRY}.key", "{{ deal.name }}"),
    "EntryFrame.template": Case(
        f"{ENTRY}.template", "x.j2", ((ENTRY, {"to": "chat", "blocks": [{"type": "divider"}]}),)
    ),
    "EntryFrame.delay": Case(f"{ENTRY}.delay", "2h"),
    "EntryFrame.unless": Case(f"{ENTRY}.unless", "deal.reopened", ((f"{ENTRY}.delay", "2h"),)),
    "EntryFrame.within": Case(f"{ENTRY}.within", "office", (("windows.office", {"from": "18:00"}),)),
    "EntryFrame.once": Case(f"{ENTRY}.once", True),
    "EntryFrame.repeat_after": Case(f"{ENTRY}.repeat_after", "1d"),
    "DigestFrame.at": Case("routes.0.digest.at", "19:00", (GATHERED, DIGEST)),
    "DigestFrame.cron": Case("routes.0.digest", {"cron": "0 19 * * *"}, (GATHERED, DIGEST)),
    "DigestFrame.within": Case(
        "routes.0.digest.within", "office", (GATHERED, DIGEST, ("windows.office", {"days": "sat"}))
    ),
    "DigestFrame.by": Case("routes.0.digest.by", "{{ deal.id }}", (GATHERED, DIGEST)),
    "DigestFrame.empty": Case("routes.0.digest.empty", True, (GATHERED, DIGEST)),
    "WindowFrame.days": Case("windows.office.days", "sat", (IN_OFFICE,)),
    "WindowFrame.from_": Case("windows.office.from", "18:00", (IN_OFFICE,)),
    "WindowFrame.to": Case("windows.office.to", "08:00", (IN_OFFICE,)),
    "WindowFrame.holidays": Case("windows.office.holidays", "2026-11-24", (IN_OFFICE,)),
    "RetryOptions.attempts": Case("targets.hook.retry.attempts", 2, (), tuple(FAILING)),
    "RetryOptions.first": Case("targets.hook.retry.first", "1m", (), (500,)),
    "RetryOptions.max": Case("targets.hook.retry.max", "10s", (), tuple(FAILING)),
    "RetryOptions.horizon": Case("targets.hook.retry.horizon", "1m", (), tuple(FAILING)),
    "BreakerOptions.failures": Case("targets.hook.breaker.failures", 0.9, (LONG,), (200, *FAILING)),
    "BreakerOptions.window": Case("targets.hook.breaker.window", "1s", (SOME,), tuple(FAILING)),
    "BreakerOptions.least": Case("targets.hook.breaker.least", 1, (SOME,), tuple(FAILING)),
    "BreakerOptions.rest": Case("targets.hook.breaker.rest", "2m", (SOME,), tuple(FAILING)),
    "BreakerOptions.longest_rest": Case("targets.hook.breaker.longest_rest", "30s", (SOME,), tuple(FAILING)),
    "TargetOptions.retry": Case("targets.hook.retry", {"first": "1m"}, (), (500,)),
    "TargetOptions.breaker": Case("targets.hook.breaker", {"least": 1}, (), tuple(FAILING)),
    "TargetOptions.timeout": Case("targets.hook.timeout", 3),
    "TargetOptions.concurrency": Case("targets.hook.concurrency", 1),
    "TargetOptions.rate": Case("targets.hook.rate", "1/m"),
    "http.url": Case("targets.hook.url", "https://hooks.example.com/b"),
    "http.method": Case("targets.hook.method", "PUT"),
    "http.headers": Case("targets.hook.headers", {"X": "a"}),
    "http.query": Case("targets.hook.query", {"x": "a"}),
    "http.auth": Case("targets.hook.auth", {"bearer": "a"}),
    "http.sign": Case("targets.hook.sign", {"hmac": {"secret": "a", "header": "X"}}),
    "http.success": Case("targets.hook.success", {"status": [200, 404]}, (), (404,)),
    "http.idempotency_header": Case("targets.hook.idempotency_header", None),
    "http.allow_private": Case("targets.hook.allow_private", True, ((f"{ENTRY}.url", "{{ 'https://x.example' }}"),)),
    "http entry.path": Case(f"{ENTRY}.path", "/x"),
    "http entry.url": Case(f"{ENTRY}.url", "https://x.example"),
    "http entry.method": Case(f"{ENTRY}.method", "PUT"),
    "http entry.headers": Case(f"{ENTRY}.headers", {"X": "a"}),
    "http entry.query": Case(f"{ENTRY}.query", {"x": "a"}),
    "http entry.body": Case(f"{ENTRY}.body", {"x": "a"}),
    "http entry.text": Case(f"{ENTRY}.text", "b", ((ENTRY, {"to": "hook", "text": "a"}),)),
    "http entry.xml": Case(f"{ENTRY}.xml", "<b/>", ((ENTRY, {"to": "hook", "xml": "<a/>"}),)),
    "http entry.success": Case(f"{ENTRY}.success", {"status": [200, 404]}, (), (404,)),
    "http entry.link": Case(f"{ENTRY}.link", {"id": "body.id"}, ((f"{ENTRY}.update", {"path": "/{id}"}),)),
    "http entry.update": Case(f"{ENTRY}.update", {"path": "/{id}"}, ((f"{ENTRY}.link", {"id": "body.id"}),)),
    "http entry.form": Case(f"{ENTRY}.form", {"x": "b"}, ((ENTRY, {"to": "hook", "form": {"x": "a"}}),)),
    "log entry.text": Case("routes.1.deliver.0.text", "y"),
    "slack.token": Case("targets.chat.token", "xoxb-2", (CHAT,)),
    "slack.channel": Case("targets.chat.channel", "C2", (CHAT,)),
    "slack.webhook_url": Case("targets.chat", {"type": "slack", "webhook_url": "https://x.example"}, (CHAT,)),
    "slack.look_up": Case("targets.chat.look_up", True, (CHAT,), ("timeout",)),
    "slack.api_url": Case("targets.chat.api_url", "https://x.example", (CHAT,)),
    "slack entry.text": Case(f"{ENTRY}.text", "y", (CHAT,)),
    "slack entry.blocks": Case(f"{ENTRY}.blocks", BLOCKS, (CHAT,)),
    "slack entry.chart": Case(f"{ENTRY}.chart", {"data": {"a": 1}}, (CHAT,)),
    "slack entry.blocks_json": Case(f"{ENTRY}.blocks_json", '[{"type": "divider"}]', (CHAT,)),
    "slack entry.markdown": Case(f"{ENTRY}.markdown", "y", (CHAT,)),
    "slack entry.update": Case(f"{ENTRY}.update", "deal", (CHAT,)),
    "slack entry.react": Case(f"{ENTRY}.react", "eyes", ((ENTRY, {"to": "chat", "thread": "deal", "react": "tada"}),)),
    "slack entry.mention": Case(f"{ENTRY}.mention", "a@b.example", (CHAT,)),
    "Chart.kind": Case(f"{ENTRY}.chart.kind", "pie", (SHOWN,)),
    "Chart.title": Case(f"{ENTRY}.chart.title", "b", (SHOWN,)),
    "Chart.data": Case(f"{ENTRY}.chart.data", {"a": 1}, (SHOWN,)),
    "Chart.unit": Case(f"{ENTRY}.chart.unit", "money", (SHOWN,)),
    "Chart.most": Case(f"{ENTRY}.chart.most", 1, (SHOWN,)),
    "Chart.locale": Case(f"{ENTRY}.chart.locale", "en", (SHOWN,)),
    "Chart.currency": Case(f"{ENTRY}.chart.currency", "USD", (SHOWN, (f"{ENTRY}.chart.unit", "money"))),
    "slack entry.thread": Case(f"{ENTRY}.thread", "deal", (CHAT,)),
    "slack entry.channel": Case(f"{ENTRY}.channel", "C2", (CHAT,)),
    "slack entry.unfurl": Case(f"{ENTRY}.unfurl", True, (CHAT,)),
    "discord.webhook_url": Case("targets.forum.webhook_url", "https://discord.com/api/webhooks/2/b", (FORUM,)),
    "discord.username": Case("targets.forum.username", "a", (FORUM,)),
    "discord entry.text": Case(f"{ENTRY}.text", "y", (FORUM,)),
    "discord entry.embeds": Case(f"{ENTRY}.embeds", [{"title": "y"}], (FORUM,)),
    "discord entry.embeds_json": Case(f"{ENTRY}.embeds_json", '[{"title": "y"}]', (FORUM,)),
    "discord entry.update": Case(f"{ENTRY}.update", "deal", (FORUM,)),
    "telegram.token": Case("targets.group.token", "1:b", (GROUP,)),
    "telegram.chat": Case("targets.group.chat", "-2", (GROUP,)),
    "telegram.topic": Case("targets.group.topic", 2, (GROUP,)),
    "telegram.api_url": Case("targets.group.api_url", "https://x.example", (GROUP,)),
    "telegram entry.text": Case(f"{ENTRY}.text", "y", (GROUP,)),
    "telegram entry.update": Case(f"{ENTRY}.update", "deal", (GROUP,)),
    "telegram entry.chat": Case(f"{ENTRY}.chat", "-2", (GROUP,)),
    "telegram entry.silent": Case(f"{ENTRY}.silent", True, (GROUP,)),
    "telegram entry.unfurl": Case(f"{ENTRY}.unfurl", True, (GROUP,)),
    "teams.workflow_url": Case("targets.office.workflow_url", "https://teams.example.com/c", (OFFICE,)),
    "teams entry.text": Case(f"{ENTRY}.text", "y", (OFFICE,)),
    "teams entry.title": Case(f"{ENTRY}.title", "y", (OFFICE,)),
    "teams entry.facts": Case(f"{ENTRY}.facts", {"a": "b"}, (OFFICE,)),
    "teams entry.buttons": Case(f"{ENTRY}.buttons", {"a": "https://b.example"}, (OFFICE,)),
    "teams entry.card": Case(f"{ENTRY}.card.body", [{"type": "TextBlock", "text": "y"}], (OWN_CARD,)),
    "teams entry.card_json": Case(ENTRY, {"to": "office", "card_json": '{"body": [{"type": "A"}]}'}, (OWN_CARD,)),
    "whatsapp.token": Case("targets.phone.token", "b", (PHONE,)),
    "whatsapp.phone_number_id": Case("targets.phone.phone_number_id", "2", (PHONE,)),
    "whatsapp.country": Case("targets.phone.country", "US", (PHONE, (f"{ENTRY}.recipient", "212 555 0123"))),
    "whatsapp.language": Case("targets.phone.language", "en", (APPROVED,)),
    "whatsapp.api_url": Case("targets.phone.api_url", "https://x.example", (PHONE,)),
    "whatsapp entry.recipient": Case(f"{ENTRY}.recipient", "11 98765-4322", (PHONE,)),
    "whatsapp entry.template_name": Case(f"{ENTRY}.template_name", "b", (APPROVED,)),
    "whatsapp entry.language": Case(f"{ENTRY}.language", "en", (APPROVED,)),
    "whatsapp entry.header": Case(f"{ENTRY}.header", "b", (APPROVED,)),
    "whatsapp entry.parameters": Case(f"{ENTRY}.parameters", ["b"], (APPROVED,)),
    "whatsapp entry.text": Case(f"{ENTRY}.text", "y", (PHONE,)),
    "whatsapp entry.unfurl": Case(f"{ENTRY}.unfurl", True, (PHONE,)),
    "google_calendar.calendar": Case("targets.agenda.calendar", "b@b", (MEETING,)),
    "google_calendar.service_account": Case(
        "targets.agenda.service_account", google_key("https://other.example"), (MEETING,)
    ),
    "google_calendar.subject": Case("targets.agenda.subject", "a@b.example", (MEETING,)),
    "google_calendar.consent": Case(
        "targets.agenda",
        {
            "type": "google_calendar",
            "calendar": "a@b",
            "consent": {"client_id": "a", "client_secret": "b", "refresh_token": "c"},
        },
        (MEETING,),
    ),
    "google_calendar.timezone": Case("targets.agenda.timezone", "Asia/Tokyo", (MEETING,)),
    "google_calendar.notify": Case("targets.agenda.notify", "all", (MEETING,)),
    "google_calendar.api_url": Case("targets.agenda.api_url", "https://x.example", (MEETING,)),
    "google_calendar entry.summary": Case(f"{ENTRY}.summary", "y", (MEETING,)),
    "google_calendar entry.description": Case(f"{ENTRY}.description", "y", (MEETING,)),
    "google_calendar entry.location": Case(f"{ENTRY}.location", "y", (MEETING,)),
    "google_calendar entry.start": Case(f"{ENTRY}.start", "2026-12-25", (MEETING,)),
    "google_calendar entry.end": Case(f"{ENTRY}.end", "2026-12-25", (MEETING,)),
    "google_calendar entry.duration": Case(f"{ENTRY}.duration", "2h", (MEETING,)),
    "google_calendar entry.attendees": Case(f"{ENTRY}.attendees", ["a@b.example"], (MEETING,)),
    "google_calendar entry.reminders": Case(f"{ENTRY}.reminders", [], (MEETING,)),
    "google_calendar entry.busy": Case(f"{ENTRY}.busy", False, (MEETING,)),
    "google_calendar entry.private": Case(f"{ENTRY}.private", True, (MEETING,)),
    "google_calendar entry.status": Case(f"{ENTRY}.status", "cancelled", (MEETING,)),
    "caldav.url": Case("targets.cloud.url", "https://x.example", (VISIT,)),
    "caldav.calendar": Case("targets.cloud.calendar", None, (VISIT,)),
    "caldav.username": Case("targets.cloud.username", "d", (VISIT,)),
    "caldav.password": Case("targets.cloud.password", "d", (VISIT,)),
    "caldav.timezone": Case("targets.cloud.timezone", "Asia/Tokyo", (VISIT,)),
    "caldav.organizer": Case("targets.cloud.organizer", "a@b.example", (VISIT, INVITED)),
    "caldav.notify": Case("targets.cloud.notify", "all", (VISIT, INVITED, ("targets.cloud.organizer", "a@b.example"))),
    "caldav entry.kind": Case(f"{ENTRY}.kind", "event", ((ENTRY, {"to": "cloud", "kind": "todo", "summary": "x"}),)),
    "caldav entry.summary": Case(f"{ENTRY}.summary", "y", (VISIT,)),
    "caldav entry.description": Case(f"{ENTRY}.description", "y", (VISIT,)),
    "caldav entry.location": Case(f"{ENTRY}.location", "y", (VISIT,)),
    "caldav entry.start": Case(f"{ENTRY}.start", "2026-12-25", (VISIT,)),
    "caldav entry.end": Case(f"{ENTRY}.end", "2026-12-25", (VISIT,)),
    "caldav entry.duration": Case(f"{ENTRY}.duration", "2h", (VISIT,)),
    "caldav entry.due": Case(f"{ENTRY}.due", "2026-12-25", (CALL,)),
    "caldav entry.completed": Case(f"{ENTRY}.completed", "2026-12-25", (CALL,)),
    "caldav entry.attendees": Case(f"{ENTRY}.attendees", ["a@b.example"], (VISIT,)),
    "caldav entry.reminders": Case(f"{ENTRY}.reminders", ["1h"], (VISIT,)),
    "caldav entry.url": Case(f"{ENTRY}.url", "https://x.example", (VISIT,)),
    "caldav entry.busy": Case(f"{ENTRY}.busy", False, (VISIT,)),
    "caldav entry.private": Case(f"{ENTRY}.private", True, (VISIT,)),
    "caldav entry.status": Case(f"{ENTRY}.status", "cancelled", (VISIT,)),
    "google_sheets.spreadsheet": Case("targets.sheet.spreadsheet", "2AbCdEfGhIjKl", (SHEET,)),
    "google_sheets.sheet": Case("targets.sheet.sheet", "b", (SHEET,)),
    "google_sheets.service_account": Case(
        "targets.sheet.service_account", google_key("https://token2.example"), (SHEET,)
    ),
    "google_sheets.subject": Case("targets.sheet.subject", "ana@acme.example", (SHEET,)),
    "google_sheets.api_url": Case("targets.sheet.api_url", "https://sheets.example/v4", (SHEET,)),
    "google_sheets entry.row": Case(f"{ENTRY}.row", {"a": "y"}, (SHEET,)),
    "google_sheets entry.delete": Case(f"{ENTRY}.delete", True, (SHEET,)),
    "file entry.file": Case(f"{ENTRY}.file", "u", (LINE,)),
    "file entry.row": Case(f"{ENTRY}.row", {"a": "y"}, (LINE,)),
    "database entry.table": Case(f"{ENTRY}.table", "u", (ROW,)),
    "database entry.row": Case(f"{ENTRY}.row", {"a": "y"}, (ROW,)),
    "database entry.delete": Case(f"{ENTRY}.delete", True, (ROW,)),
    "database entry.version": Case(f"{ENTRY}.version", "2026-12-24", (ROW,)),
    "database entry.event_id": Case(f"{ENTRY}.event_id", "y", (ROW,)),
    "microsoft_calendar.tenant": Case("targets.outlook.tenant", "u", (OUTLOOK,)),
    "microsoft_calendar.client_id": Case("targets.outlook.client_id", "c", (OUTLOOK,)),
    "microsoft_calendar.client_secret": Case("targets.outlook.client_secret", "c", (OUTLOOK,)),
    "microsoft_calendar.mailbox": Case("targets.outlook.mailbox", "c@b.example", (OUTLOOK,)),
    "microsoft_calendar.calendar": Case("targets.outlook.calendar", "Vendas", (OUTLOOK,)),
    "microsoft_calendar.timezone": Case("targets.outlook.timezone", "Asia/Tokyo", (OUTLOOK,)),
    "microsoft_calendar.login_url": Case("targets.outlook.login_url", "https://x.example", (OUTLOOK,)),
    "microsoft_calendar.api_url": Case("targets.outlook.api_url", "https://x.example", (OUTLOOK,)),
    "microsoft_calendar entry.summary": Case(f"{ENTRY}.summary", "y", (OUTLOOK,)),
    "microsoft_calendar entry.description": Case(f"{ENTRY}.description", "y", (OUTLOOK,)),
    "microsoft_calendar entry.location": Case(f"{ENTRY}.location", "y", (OUTLOOK,)),
    "microsoft_calendar entry.start": Case(f"{ENTRY}.start", "2026-12-25", (OUTLOOK,)),
    "microsoft_calendar entry.end": Case(f"{ENTRY}.end", "2026-12-25", (OUTLOOK,)),
    "microsoft_calendar entry.duration": Case(f"{ENTRY}.duration", "2h", (OUTLOOK,)),
    "microsoft_calendar entry.attendees": Case(f"{ENTRY}.attendees", ["a@b.example"], (OUTLOOK,)),
    "microsoft_calendar entry.reminders": Case(f"{ENTRY}.reminders", [], (OUTLOOK,)),
    "microsoft_calendar entry.busy": Case(f"{ENTRY}.busy", False, (OUTLOOK,)),
    "microsoft_calendar entry.private": Case(f"{ENTRY}.private", True, (OUTLOOK,)),
    "microsoft_calendar entry.categories": Case(f"{ENTRY}.categories", ["y"], (OUTLOOK,)),
    "microsoft_calendar entry.status": Case(f"{ENTRY}.status", "cancelled", (OUTLOOK,)),
    "calendar_feed entry.summary": Case(f"{ENTRY}.summary", "y", (SHOWN_DAY,)),
    "calendar_feed entry.description": Case(f"{ENTRY}.description", "y", (SHOWN_DAY,)),
    "calendar_feed entry.location": Case(f"{ENTRY}.location", "y", (SHOWN_DAY,)),
    "calendar_feed entry.start": Case(f"{ENTRY}.start", "2026-12-25", (SHOWN_DAY,)),
    "calendar_feed entry.end": Case(f"{ENTRY}.end", "2026-12-25", (SHOWN_DAY,)),
    "calendar_feed entry.duration": Case(f"{ENTRY}.duration", "2h", (SHOWN_DAY,)),
    "calendar_feed entry.reminders": Case(f"{ENTRY}.reminders", ["1h"], (SHOWN_DAY,)),
    "calendar_feed entry.url": Case(f"{ENTRY}.url", "https://x.example", (SHOWN_DAY,)),
    "calendar_feed entry.busy": Case(f"{ENTRY}.busy", False, (SHOWN_DAY,)),
    "calendar_feed entry.private": Case(f"{ENTRY}.private", True, (SHOWN_DAY,)),
    "calendar_feed entry.status": Case(f"{ENTRY}.status", "cancelled", (SHOWN_DAY,)),
    "asana.token": Case("targets.tasks.token", "b", (TASK,)),
    "asana.project": Case("targets.tasks.project", "1204000000000002", (TASK,)),
    "asana.section": Case("targets.tasks.section", "1204000000000009", (TASK,)),
    "asana.people": Case("targets.tasks.people", {"Ana": "ana@b.example"}, (TASK, (f"{ENTRY}.assignee", "Ana"))),
    "asana.timezone": Case("targets.tasks.timezone", "Asia/Tokyo", (TASK, (f"{ENTRY}.due", "2026-12-24T15:00"))),
    "asana.api_url": Case("targets.tasks.api_url", "https://x.example", (TASK,)),
    "asana entry.name": Case(f"{ENTRY}.name", "y", (TASK,)),
    "asana entry.notes": Case(f"{ENTRY}.notes", "y", (TASK,)),
    "asana entry.section": Case(f"{ENTRY}.section", "Outras", (TASK,)),
    "asana entry.assignee": Case(f"{ENTRY}.assignee", "a@b.example", (TASK,)),
    "asana entry.due": Case(f"{ENTRY}.due", "2026-12-24", (TASK,)),
    "asana entry.completed": Case(f"{ENTRY}.completed", True, (TASK,)),
    "asana entry.custom_fields": Case(f"{ENTRY}.custom_fields", {"a": "b"}, (TASK,)),
    "asana entry.comment": Case(f"{ENTRY}.comment", "a", (TASK,)),
    "asana entry.deleted": Case(f"{ENTRY}.deleted", True, (TASK,)),
    "trello.api_key": Case("targets.board.api_key", "c", (CARD,)),
    "trello.token": Case("targets.board.token", "c", (CARD,)),
    "trello.board": Case("targets.board.board", "AbCdEf34", (CARD,)),
    "trello.api_url": Case("targets.board.api_url", "https://x.example/1", (CARD,)),
    "trello entry.name": Case(f"{ENTRY}.name", "y", (CARD,)),
    "trello entry.desc": Case(f"{ENTRY}.desc", "y", (CARD,)),
    "trello entry.list": Case(f"{ENTRY}.list", "Outras", (CARD,)),
    "trello entry.pos": Case(f"{ENTRY}.pos", "top", (CARD,)),
    "trello entry.labels": Case(f"{ENTRY}.labels", "a", (CARD,)),
    "trello entry.members": Case(f"{ENTRY}.members", "a", (CARD,)),
    "trello entry.due": Case(f"{ENTRY}.due", "2026-12-24", (CARD,)),
    "trello entry.start": Case(f"{ENTRY}.start", "2026-12-24", (CARD,)),
    "trello entry.due_complete": Case(f"{ENTRY}.due_complete", True, (CARD,)),
    "trello entry.archived": Case(f"{ENTRY}.archived", True, (CARD,)),
    "trello entry.url": Case(f"{ENTRY}.url", "https://x.example", (CARD,)),
    "trello entry.checklists": Case(f"{ENTRY}.checklists", {"a": ["b"]}, (CARD,)),
    "trello entry.custom_fields": Case(f"{ENTRY}.custom_fields", {"a": "b"}, (CARD,)),
    "trello entry.comment": Case(f"{ENTRY}.comment", "a", (CARD,)),
}
MAIL: Final = {
    "email": "host port security username password ca_file sender reply_to domain allowed_domains",
    "email entry": "recipients cc bcc reply_to subject text html chart attachments thread headers",
}
LINES: Final = "directory format columns rotate max_size formulas timezone"
ROWS: Final = "url tables create tls ca_file timezone"
ELSEWHERE: Final = {
    "FileFrame.version": "app/test_reloader.py",
    "FileFrame.sources": "ingest/test_handlers.py",
    "FileFrame.tests": "trial/test_running.py",
    "http.probe": "targets/test_http.py",
    "http.tls": "targets/test_http_credentials.py",
    "http entry.host_in_rules": "targets/test_http.py",
    "trello.list": "targets/test_trello.py",
    "trello.people": "targets/test_trello.py",
    "rdstation_crm.secrets": "ingest/test_secretbook.py",
    "rdstation_crm.auth_header": "ingest/test_secretbook.py",
    "rdstation_crm.auth_key": "ingest/test_secretbook.py",
    "rdstation_crm.silence": "delivery/test_monitor.py",
    "rdstation_crm.api": "rdstation/api/test_versions.py",
    **{f"calendar_feed.{key}": "feeds/test_handlers.py" for key in ("secrets", "title", "keep")},
    **{f"calendar_feed.{key}": "targets/test_calendar_feed.py" for key in ("timezone", "refresh")},
    **{f"{kind}.{key}": "targets/test_email.py" for kind, names in MAIL.items() for key in names.split()},
    "google_sheets.consent": "targets/test_google_sheets.py",
    **{f"file.{key}": "targets/test_file.py" for key in LINES.split()},
    **{f"database.{key}": "targets/test_database.py" for key in ROWS.split()},
}
"""Keys whose effect is not in the story: webhooks, tests, what a played board has, mail, databases, files."""
RULES: Final = (FileFrame, DefaultsFrame, DeliverFrame, RouteFrame, EntryFrame, DigestFrame, WindowFrame)
FRAMES: Final = (*RULES, RetryOptions, BreakerOptions, TargetOptions, Chart)


def keys() -> Iterator[str]:
    """Yield every key that a rules file may have, under the model or the type that takes it."""
    for frame in FRAMES:
        yield from (f"{frame.__name__}.{name}" for name in frame.model_fields)
    for kind, target in target_types().items():
        yield from _own(kind, target.Options, TargetOptions)
        yield from _own(f"{kind} entry", target.Action, BaseModel)
    for kind, source in source_types().items():
        yield from (f"{kind}.{name}" for name in source.Options.model_fields)


def _own(label: str, model: type[BaseModel], base: type[BaseModel]) -> Iterator[str]:
    yield from (f"{label}.{name}" for name in model.model_fields if name not in base.model_fields)


def test_of_every_key_a_case_is_told() -> None:
    assert set(keys()) == {*CASES, *ELSEWHERE}


def test_what_is_shown_elsewhere_is_there() -> None:
    for name, where in ELSEWHERE.items():
        file = Path(__file__).parents[1] / where
        assert name.rpartition(".")[2] in file.read_text("utf-8"), name


def test_frames_that_share_keys_do_so_by_name() -> None:
    assert set(TermsFrame.model_fields) == set(DeliverFrame.model_fields)
    assert set(SourceOptions.model_fields) <= set(source_types()["rdstation_crm"].Options.model_fields)


USUAL: Final[dict[str, list[str]]] = {}
"""What became of rules that were played before: to play them is what takes the time here."""


@pytest.mark.parametrize("name", CASES)
async def test_a_key_has_an_effect(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    without = deepcopy(BASE)
    for place, value in case.beside:
        put(without, place, value)
    with_it = deepcopy(without)
    put(with_it, case.place, case.value)
    assert with_it != without
    assert await usual(without, case.answers, tmp_path, monkeypatch) != await story(
        with_it, case.answers, tmp_path, monkeypatch
    )


async def usual(
    rules: dict[str, Any], answers: tuple[int | str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Return what becomes of rules that many keys are added to; the same rules give the same, wherever they lie."""
    written = json.dumps([rules, answers])
    if written not in USUAL:
        told = await story(rules, answers, folder, monkeypatch)
        assert told == await story(rules, answers, folder, monkeypatch)
        assert str(folder) not in "".join(told)
        USUAL[written] = told
    return USUAL[written]


def put(rules: dict[str, Any], place: str, value: Any) -> None:
    """Set a value at a place; what is missing on the way there is made."""
    *way, last = place.split(".")
    inside: Any = rules
    for step in way:
        inside = inside[int(step)] if isinstance(inside, list) else inside.setdefault(step, {})
    if isinstance(inside, list):
        inside[int(last)] = deepcopy(value)
    else:
        inside[last] = deepcopy(value)


async def story(
    rules: dict[str, Any], answers: tuple[int | str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Return what becomes of two losses of one deal and one of another, over four days."""
    clock = MovedClock()
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "templates/x.j2").write_text("from a file")
    more = {"routes": [{"name": "more", "on": "deal.lost", "deliver": [{"to": "screen", "text": "more"}]}]}
    (folder / "more.yaml").write_text(json.dumps(more))
    (folder / "routes.yaml").write_text(json.dumps(rules))
    clock.set(BEGIN)
    loaded = load(folder / "routes.yaml", {}, clock).ruleset
    seen = watched(monkeypatch, clock)
    replies = [{"status": each} if isinstance(each, int) else each for each in answers]
    async with Stage.built(loaded, {name: _replies(replies) for name in ("hook", "chat")}, clock) as stage:
        await tell(stage, loaded, clock)
        deliveries = await stage.store.deliveries(DeliveryQuery(limit=1000, oldest_first=True))
        for each in deliveries:
            attempts = await stage.store.attempts(each.id)
            times = [(str(attempt.started_at), attempt.outcome, attempt.reason) for attempt in attempts]
            seen.append(
                f"{each.route} {each.target} {each.key} {each.state} {each.content} {each.reason} {times} {each.terms}"
            )
    seen += [f"{name}: {target.limits}" for name, target in loaded.targets.items()]
    return [_without_ids(line) for line in seen]


async def tell(stage: Stage, rules: Ruleset, clock: MovedClock) -> None:
    """Let a deal be made, lost, reopened and lost again, and another be lost; then four days pass."""
    deal, other = Deal("d1"), Deal("d2")
    bodies = [deal.created(), deal.lost(), deal.reopened(), deal.lost(name="Mercado"), other.lost()]
    for number, body in enumerate(bodies):
        await stage.arrive(event_of(rules.sources["crm"], body, number, clock.now()))
        await stage.until(clock.now() + timedelta(minutes=1))
    await stage.until(BEGIN + timedelta(days=4))


def watched(monkeypatch: pytest.MonkeyPatch, clock: MovedClock) -> list[str]:
    """Return a list that grows with each request that leaves."""
    seen: list[str] = []
    call = PlayedHttp.call

    async def watching(self: PlayedHttp, request: Request) -> Answer:
        trust = f"{request.timeout:g} s, trusted {request.trusted}, allowed {request.allowed}"
        seen.append(f"{clock.now()} {request.method} {request.url} {dict(request.headers)} {_body(request)} {trust}")
        return await call(self, request)

    monkeypatch.setattr(PlayedHttp, "call", watching)
    return seen


def _body(request: Request) -> str:
    """Return the body of a request, but for the moment; of an assertion what it claims."""
    body = STAMP.sub("", (request.body or b"").decode("utf-8", "backslashreplace"))
    if "assertion=" not in body:
        return body
    claims = jwt.decode(dict(parse_qsl(body))["assertion"], options={"verify_signature": False})
    return str({name: value for name, value in claims.items() if name not in {"iat", "exp"}})


def _replies(replies: list[Any]) -> list[Reply]:
    read: list[Reply] = TypeAdapter(list[Reply]).validate_python(replies)
    return read


def _without_ids(line: str) -> str:
    return re.sub(r"(dlv|evt|att)_\w+", r"\1", line)
