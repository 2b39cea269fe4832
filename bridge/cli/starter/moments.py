"""A moment in words: what a trigger is called, and what a message about it tells."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from bridge.cli.starter.words import Words
from bridge.component.source import NamedTrigger
from bridge.rdstation import EVENTS, TRIGGERS
from bridge.rdstation.labels import LABELS

NOTHING = ' | default("—")'
_ARTICLE = re.compile(r"^(?:An?|The|Uma?|O) ")
_PASSIVE = re.compile(r"^(\S+(?: \S+){0,2}) (?:was|foi) (\S+)$")


@dataclass(frozen=True, slots=True)
class Field:
    """Something to tell of an entity, and the filters that write it for people."""

    path: str
    filters: str = ""


_AMOUNT, _DUE = Field("amount_total", " | money"), Field("due_date", " | datetime")
_STAGE, _OWNER = Field("deal_stage.name"), Field("user.name")
_TOLD: Mapping[str, tuple[Field, ...]] = {
    "deal": (_AMOUNT, _STAGE, Field("deal_pipeline.name"), _OWNER),
    "task": (_DUE, Field("description", " | striptags | truncate(200)")),
    "contact": (
        Field("job_title"),
        Field("phones", ' | map(attribute="phone") | map("phone") | join(", ")'),
        Field("emails", ' | map(attribute="email") | join(", ")'),
    ),
    "organization": (Field("url"),),
    "product": (Field("price", " | money"),),
    "campaign": (Field("description"),),
    "source": (),
    "lost_reason": (),
}
_FIRST: Mapping[str, tuple[Field, ...]] = {
    "deal.lost": (Field("deal_lost_reason.name"),),
    "task.completed": (Field("completed_at", " | datetime"),),
}
_MOVED: Mapping[str, Field] = {
    "deal.stage_changed": _STAGE,
    "deal.owner_changed": _OWNER,
    "deal.amount_changed": _AMOUNT,
    "task.rescheduled": _DUE,
}
"""What a trigger is about, and so is told as it was and as it is."""
_ICONS: Mapping[str, str] = {
    "lost": "❌",
    "won": "🏆",
    "paused": "⏸️",
    "reopened": "♻️",
    "stage_changed": "➡️",
    "owner_changed": "👤",
    "amount_changed": "💰",
    "created": "🆕",
    "updated": "✏️",
    "deleted": "🗑️",
    "completed": "✅",
    "canceled": "🚫",
    "rescheduled": "🗓️",
}


def kind_of(moment: str) -> str:
    """Return the kind of entity that a trigger is about."""
    return EVENTS[TRIGGERS[moment].events[0]]


def described(moment: str, words: Words) -> str:
    """Return what happens, as a sentence."""
    trigger: NamedTrigger = TRIGGERS[moment]
    return trigger.description_pt if words.labels == "pt" else trigger.description


def headline(moment: str, words: Words) -> str:
    """Return what happened in few words: of "A deal was lost." it is "Deal lost"."""
    bare = _ARTICLE.sub("", described(moment, words).removesuffix("."))
    short = words.headlines.get(moment) or _PASSIVE.sub(r"\1 \2", bare)
    return short[0].upper() + short[1:]


def route_name(moment: str, words: Words) -> str:
    """Return the headline as the name of a route, of letters that any keyboard has."""
    plain = unicodedata.normalize("NFKD", headline(moment, words).lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z]+", "-", plain)


def lines(moment: str, words: Words, *, slack: bool) -> list[str]:
    """Return the lines of a message; in Slack labels are bold and the name of a deal is a link."""
    kind = kind_of(moment)
    name = f"{{{{ {kind}.name }}}}"
    title = f"<{{{{ {kind} | link }}}}|{name}>" if slack and kind == "deal" else name
    page = {"deal": [] if slack else ["{{ deal | link }}"], "task": [_line(words.deal, _task_deal(), slack=slack)]}
    return [
        f"{_ICONS[moment.partition('.')[2]]} {_strong(headline(moment, words), slack=slack)} {title}",
        *(_line(LABELS[words.labels][field.path], _text(moment, field), slack=slack) for field in _fields(moment)),
        *page.get(kind, []),
    ]


def members(moment: str) -> dict[str, str]:
    """Return the members of a structure, with the template of each."""
    kind = kind_of(moment)
    told = {name: f"{{{{ {kind}.{name} }}}}" for name in ("id", "name")}
    for field in _fields(moment):
        name = field.path.removesuffix(".name")
        if field == _MOVED.get(moment):
            told[f"previous_{name}"] = f"{{{{ previous.{field.path} }}}}"
        told[name] = f"{{{{ {kind}.{field.path} }}}}"
    return told | {"deal": {"page": "{{ deal | link }}"}, "task": {"deal_id": "{{ task.deal_id }}"}}.get(kind, {})


def _fields(moment: str) -> list[Field]:
    """Return what a message tells, the moment's own first, each once."""
    moved = [_MOVED[moment]] if moment in _MOVED else []
    return list(dict.fromkeys([*_FIRST.get(moment, ()), *moved, *_TOLD[kind_of(moment)]]))


def _text(moment: str, field: Field) -> str:
    now = f"{{{{ {kind_of(moment)}.{field.path}{field.filters}{NOTHING} }}}}"
    if field == _MOVED.get(moment):
        return f"{{{{ previous.{field.path}{field.filters}{NOTHING} }}}} → {now}"
    return now


def _task_deal() -> str:
    return f'{{{{ task | link("deal"){NOTHING} }}}}'


def _line(label: str, text: str, *, slack: bool) -> str:
    return f"{_strong(label, slack=slack)} {text}"


def _strong(text: str, *, slack: bool) -> str:
    return f"*{text}:*" if slack else f"{text}:"
