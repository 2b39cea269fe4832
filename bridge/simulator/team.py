"""The sales team: what it has, and what it can do. Each deed changes the records and is told to whoever listens."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from bridge.model import Action, JsonObject
from bridge.rdstation.catalog import event_name
from bridge.simulator.chance import Chance
from bridge.simulator.clock import VirtualClock
from bridge.simulator.documents import document
from bridge.simulator.entities import (
    Campaign,
    Contact,
    CustomField,
    Deal,
    Item,
    LostReason,
    Organization,
    Pipeline,
    Product,
    Record,
    Segment,
    Source,
    Stage,
    Task,
    User,
)

RecordT = TypeVar("RecordT", bound=Record)

_TICK = timedelta(milliseconds=1)


class Happening(NamedTuple):
    """Something of which the CRM tells: the event's name, the entity, its document at that moment, and words."""

    name: str
    record: Record
    document: JsonObject
    at: datetime
    told: str


class Team:
    """All records by their ids, and the deeds of the people. ``heard_by`` is told of every deed."""

    def __init__(self, clock: VirtualClock, chance: Chance) -> None:
        """Begin with nothing. ``chance`` makes the ids."""
        self._clock = clock
        self._chance = chance
        self.heard_by: Callable[[Happening], None] | None = None
        self.users: dict[str, User] = {}
        self.pipelines: dict[str, Pipeline] = {}
        self.fields: dict[str, CustomField] = {}
        self.segments: dict[str, Segment] = {}
        self.deals: dict[str, Deal] = {}
        self.tasks: dict[str, Task] = {}
        self.contacts: dict[str, Contact] = {}
        self.organizations: dict[str, Organization] = {}
        self.products: dict[str, Product] = {}
        self.campaigns: dict[str, Campaign] = {}
        self.sources: dict[str, Source] = {}
        self.lost_reasons: dict[str, LostReason] = {}
        self._holders: dict[str, dict[str, Any]] = {
            "deal": self.deals,
            "task": self.tasks,
            "contact": self.contacts,
            "organization": self.organizations,
            "product": self.products,
            "campaign": self.campaigns,
            "source": self.sources,
            "lost_reason": self.lost_reasons,
        }

    def now(self) -> datetime:
        """Return the virtual time, to the millisecond, which is all that documents tell."""
        now = self._clock.now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def new_id(self, at: datetime) -> str:
        """Return an id as the CRM makes them: eight digits of its time, sixteen of chance."""
        return f"{int(at.timestamp()):08x}{self._chance.digits(16)}"

    def born(self, at: datetime) -> dict[str, Any]:
        """Return the id and dates of something that was made at a time."""
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        return {"id": self.new_id(at), "created_at": at, "updated_at": at}

    def records(self) -> Iterator[Record]:
        """Yield everything that events are about."""
        for holder in self._holders.values():
            yield from holder.values()

    def document_of(self, record: Record) -> JsonObject:
        """Return what a webhook would tell of a record just now."""
        return document("updated", record, tuple(self.fields.values()))

    def add(self, record: RecordT) -> RecordT:
        """Take a new record in, and tell of it."""
        self._holders[record.kind][record.id] = record
        self._tell("created", record, "created")
        return record

    def edit(self, record: Record, told: str, **changes: object) -> None:
        """Change fields of a record, and tell of it; its versions never share a time."""
        for field, value in changes.items():
            setattr(record, field, value)
        record.updated_at = max(self.now(), record.updated_at + _TICK)
        self._tell("updated", record, told)

    def delete(self, record: Record) -> None:
        """Delete a record, and with a deal its tasks; nothing points at it any more."""
        if isinstance(record, Deal):
            for task in [task for task in self.tasks.values() if task.deal is record]:
                self.delete(task)
        if isinstance(record, Contact) and record.organization:
            record.organization.contacts.remove(record)
        if isinstance(record, Contact | Organization):
            self._cut_off(record)
        del self._holders[record.kind][record.id]
        self._tell("deleted", record, "deleted")

    def _cut_off(self, record: Contact | Organization) -> None:
        """Take a customer out of their deals, whose documents do not tell of them."""
        for deal in self.deals.values():
            deal.contacts = [contact for contact in deal.contacts if contact is not record]
            deal.organization = None if deal.organization is record else deal.organization

    # what is done with a deal

    def move(self, deal: Deal, stage: Stage) -> None:
        """Put a deal into another stage of its pipeline."""
        told = f"{deal.stage.name} → {stage.name}"
        deal.stays.append((stage, self.now()))
        self.edit(deal, told, stage=stage)

    def give(self, deal: Deal, user: User) -> None:
        """Give a deal to somebody else."""
        self.edit(deal, f"{deal.user.name} → {user.name}", user=user)

    def price(self, deal: Deal, items: Iterable[Item]) -> None:
        """Change what is sold, and with it the amounts."""
        before = deal.amount_total
        deal.items = list(items)
        self.edit(deal, f"{amount(before)} → {amount(deal.amount_total)}")

    def win(self, deal: Deal) -> None:
        """Win a deal, in whatever stage it is."""
        told = f"won, {amount(deal.amount_total)}"
        self.edit(deal, told, status="won", closed_at=self._closing(deal), lost_reason=None, lost_note=None)

    def lose(self, deal: Deal, reason: LostReason, note: str | None = None) -> None:
        """Lose a deal for a reason."""
        told = f"lost, {amount(deal.amount_total)}: {reason.name}"
        self.edit(deal, told, status="lost", closed_at=self._closing(deal), lost_reason=reason, lost_note=note)

    def pause(self, deal: Deal) -> None:
        """Put a deal off."""
        self.edit(deal, "paused", status="paused", closed_at=None, lost_reason=None, lost_note=None)

    def reopen(self, deal: Deal) -> None:
        """Take up a deal that was closed or put off."""
        told = f"reopened, was {deal.status}"
        self.edit(deal, told, status="ongoing", closed_at=None, lost_reason=None, lost_note=None)

    # what is done with a task

    def reschedule(self, task: Task, due: datetime) -> None:
        """Put a task on another day."""
        self.edit(task, f"due {due:%d/%m %H:%M}", due_date=due)

    def complete(self, task: Task, by: User) -> None:
        """Do what was to be done."""
        self.edit(task, "completed", status="completed", completed_at=self._closing(task), completed_by=by)

    def cancel(self, task: Task) -> None:
        """Let a task be."""
        self.edit(task, "canceled", status="canceled")

    def _closing(self, record: Record) -> datetime:
        """Return when an edit of this moment will be dated."""
        return max(self.now(), record.updated_at + _TICK)

    def _tell(self, action: Action, record: Record, told: str) -> None:
        if self.heard_by is None:
            return
        at = record.updated_at if action != "deleted" else self.now()
        written = document(action, record, tuple(self.fields.values()))
        self.heard_by(Happening(event_name(record.kind, action), record, written, at, told))


def amount(value: float) -> str:
    """Return an amount as Brazilians write it."""
    return f"R$ {value:,.2f}".translate(str.maketrans(",.", ".,"))
