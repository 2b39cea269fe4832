"""The CRM's triggers: documented combinations of event names and matchers, nothing that a route could not write itself.

Won, lost, paused, completed and canceled are states that an entity may also be born with, so they listen to its
creation too; whatever compares with the last state has nothing to say there.
"""

from collections.abc import Iterator, Mapping

from bridge.component.source import NamedTrigger
from bridge.model import JsonObject
from bridge.rdstation.catalog import ACTIONS, KINDS, event_name

_UPDATED = ("updated",)
_BORN_OR_UPDATED = ("created", "updated")
_TRANSITIONS: tuple[tuple[str, str, tuple[str, ...], JsonObject, str, str], ...] = (
    ("deal", "won", _BORN_OR_UPDATED, {"status": {"to": "won"}}, "A deal was won.", "Uma negociação foi ganha."),
    ("deal", "lost", _BORN_OR_UPDATED, {"status": {"to": "lost"}}, "A deal was lost.", "Uma negociação foi perdida."),
    (
        "deal",
        "paused",
        _BORN_OR_UPDATED,
        {"status": {"to": "paused"}},
        "A deal was paused.",
        "Uma negociação foi pausada.",
    ),
    (
        "deal",
        "reopened",
        _UPDATED,
        {"status": {"from": ["won", "lost"], "to": "ongoing"}},
        "A deal that was won or lost is open again.",
        "Uma negociação ganha ou perdida foi retomada.",
    ),
    (
        "deal",
        "stage_changed",
        _UPDATED,
        {"deal_stage.id": {"changed": True}},
        "A deal moved to another stage.",
        "Uma negociação mudou de etapa.",
    ),
    (
        "deal",
        "owner_changed",
        _UPDATED,
        {"user.id": {"changed": True}},
        "A deal was given to another owner.",
        "Uma negociação mudou de responsável.",
    ),
    (
        "deal",
        "amount_changed",
        _UPDATED,
        {"amount_total": {"changed": True}},
        "The total amount of a deal changed.",
        "O valor total de uma negociação mudou.",
    ),
    (
        "task",
        "completed",
        _BORN_OR_UPDATED,
        {"status": {"to": "completed"}},
        "A task was completed.",
        "Uma tarefa foi concluída.",
    ),
    (
        "task",
        "canceled",
        _BORN_OR_UPDATED,
        {"status": {"to": "canceled"}},
        "A task was canceled.",
        "Uma tarefa foi cancelada.",
    ),
    (
        "task",
        "rescheduled",
        _UPDATED,
        {"due_date": {"changed": True}},
        "A task got another due date.",
        "Uma tarefa mudou de prazo.",
    ),
)
_NOUNS = {
    "deal": ("A deal", "Uma negociação", "a"),
    "task": ("A task", "Uma tarefa", "a"),
    "contact": ("A contact", "Um contato", "o"),
    "organization": ("An organization", "Uma empresa", "a"),
    "product": ("A product", "Um produto", "o"),
    "campaign": ("A campaign", "Uma campanha", "a"),
    "source": ("A source", "Uma fonte", "a"),
    "lost_reason": ("A lost reason", "Um motivo de perda", "o"),
}
_PARTICIPLES = {"created": "criad", "updated": "atualizad", "deleted": "excluíd"}


def _plain() -> Iterator[NamedTrigger]:
    """Yield ``<kind>.<action>``; of deals, an update is told by what changed, so that there is no ``deal.updated``."""
    for kind in KINDS:
        english, portuguese, ending = _NOUNS[kind]
        for action in ACTIONS:
            if (kind, action) != ("deal", "updated"):
                yield NamedTrigger(
                    f"{kind}.{action}",
                    (event_name(kind, action),),
                    f"{english} was {action}.",
                    f"{portuguese} foi {_PARTICIPLES[action]}{ending}.",
                )


def _transitions() -> Iterator[NamedTrigger]:
    for kind, name, actions, match, english, portuguese in _TRANSITIONS:
        events = tuple(f"crm_{kind}_{action}" for action in actions)
        yield NamedTrigger(f"{kind}.{name}", events, english, portuguese, match)


TRIGGERS: Mapping[str, NamedTrigger] = {trigger.name: trigger for trigger in (*_plain(), *_transitions())}
"""Every trigger by its name."""
