"""What the simulated CRM keeps: people, companies, deals and what belongs to them. They change as the team works."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar, Final, Literal, TypeAlias

from bridge.model import Json

Status: TypeAlias = Literal["ongoing", "won", "lost", "paused"]
MONTHLY: Final = "monthly"
CLOSED: Final = frozenset({"won", "lost"})


@dataclass(slots=True, kw_only=True, eq=False)
class Record:
    """Anything that has an id, a name and an age. ``kind`` is the word of the CRM's events for it."""

    kind: ClassVar[str] = ""
    id: str
    name: str
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class User(Record):
    """A person of the sales team."""

    email: str

    @property
    def nickname(self) -> str:
        """Return the initials."""
        return initials(self.name)


@dataclass(slots=True, kw_only=True, eq=False)
class Stage(Record):
    """A step of a pipeline."""

    order: int

    @property
    def nickname(self) -> str:
        """Return the initials."""
        return initials(self.name)


@dataclass(slots=True, kw_only=True, eq=False)
class Pipeline(Record):
    """The way of a deal, stage by stage."""

    order: int
    stages: list[Stage]


@dataclass(slots=True, kw_only=True, eq=False)
class CustomField(Record):
    """A field that the account has made; its name is its label."""

    of: str
    type: str
    opts: tuple[str, ...]
    slug: str


@dataclass(slots=True, kw_only=True, eq=False)
class Segment(Record):
    """What companies are sorted by."""


@dataclass(slots=True, kw_only=True, eq=False)
class Product(Record):
    """Something to sell."""

    kind = "product"
    description: str
    price: float
    recurrence: str
    visible: bool = True


@dataclass(slots=True, kw_only=True, eq=False)
class Campaign(Record):
    """What brought a deal about."""

    kind = "campaign"
    description: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Source(Record):
    """Where a deal came from."""

    kind = "source"


@dataclass(slots=True, kw_only=True, eq=False)
class LostReason(Record):
    """Why a deal is lost."""

    kind = "lost_reason"


@dataclass(slots=True, kw_only=True, eq=False)
class Organization(Record):
    """A company that buys."""

    kind = "organization"
    description: str
    url: str
    line: str | None
    segments: list[Segment]
    owner: User
    followers: list[User]
    custom: dict[str, Json] = field(default_factory=dict)
    """Values by the id of their field, here and below."""
    contacts: list["Contact"] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class Contact(Record):
    """A person who buys."""

    kind = "contact"
    job_title: str
    emails: list[str]
    phones: list[str]
    birthday: str | None
    organization: Organization | None
    custom: dict[str, Json] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class Item:
    """A product in a deal; the price is that of this deal."""

    id: str
    product: Product
    price: float
    amount: int
    since: datetime

    @property
    def total(self) -> float:
        """Return the price of all of it."""
        return round(self.price * self.amount, 2)


@dataclass(slots=True, kw_only=True, eq=False)
class Deal(Record):
    """A deal. ``stays`` is where it stood since when, oldest first."""

    kind = "deal"
    pipeline: Pipeline
    stage: Stage
    user: User
    items: list[Item]
    prediction_date: date | None
    rating: int
    organization: Organization | None
    contacts: list[Contact]
    source: Source | None
    campaign: Campaign | None
    status: Status = "ongoing"
    closed_at: datetime | None = None
    lost_reason: LostReason | None = None
    lost_note: str | None = None
    custom: dict[str, Json] = field(default_factory=dict)
    stays: list[tuple[Stage, datetime]] = field(default_factory=list)

    @property
    def amount_unique(self) -> float:
        """Return what is paid once."""
        return round(sum((item.total for item in self.items if item.product.recurrence != MONTHLY), 0.0), 2)

    @property
    def amount_monthly(self) -> float:
        """Return what is paid each month."""
        return round(sum((item.total for item in self.items if item.product.recurrence == MONTHLY), 0.0), 2)

    @property
    def amount_total(self) -> float:
        """Return the sum of both, as the CRM has it."""
        return round(self.amount_unique + self.amount_monthly, 2)

    @property
    def open(self) -> bool:
        """Tell whether it is neither won nor lost."""
        return self.status not in CLOSED


@dataclass(slots=True, kw_only=True, eq=False)
class Task(Record):
    """Something to do for a deal. An automation has made what nobody has."""

    kind = "task"
    description: str
    type: str
    due_date: datetime
    deal: Deal
    owners: list[User]
    created_by: User | None
    status: Literal["open", "completed", "canceled"] = "open"
    completed_at: datetime | None = None
    completed_by: User | None = None


def initials(name: str) -> str:
    """Return the first letters of the first two words, as the CRM abbreviates people and stages."""
    return "".join(word[0] for word in name.split()[:2]).upper()
