"""Makes what comes new into the CRM: customers, their people, deals, tasks, and what stands in their fields."""

from datetime import date, datetime, timedelta
from typing import Any

from bridge.document import slug
from bridge.model import Json
from bridge.simulator import names
from bridge.simulator.chance import Chance
from bridge.simulator.entities import (
    Campaign,
    Contact,
    Deal,
    Item,
    LostReason,
    Organization,
    Product,
    Source,
    Task,
)
from bridge.simulator.team import Team


class Maker:
    """Makes records as chance has it, and gives them to the team."""

    def __init__(self, team: Team, chance: Chance) -> None:
        """Take whose records they are, and what decides."""
        self._team = team
        self._chance = chance

    def organization(self, at: datetime) -> Organization:
        """Make a company with one or two people."""
        chance, name = self._chance, f"{self._chance.one(names.TRADES)} {self._chance.one(names.MARKS)}"
        owner = chance.one(self._team.users.values())
        made = self._team.add(
            Organization(
                name=name,
                description="",
                url=f"https://{slug(name)}.example",
                line=f"{chance.one(names.STREETS)}, {chance.number(1, 999)}, {chance.one(names.CITIES)}",
                segments=[chance.one(self._team.segments.values())],
                owner=owner,
                followers=[owner],
                custom=self.custom("organization"),
                **self._team.born(at),
            )
        )
        made.contacts = [self._contact(made, at) for _ in range(chance.number(1, 2))]
        return made

    def deal(self, organization: Organization, at: datetime) -> Deal:
        """Make a deal with a company, in the first stage of a pipeline."""
        chance, team = self._chance, self._team
        items = [self.item(at) for _ in range(chance.number(1, 2))]
        pipeline = chance.one(team.pipelines.values())
        return team.add(
            Deal(
                name=f"{organization.name}: {items[0].product.name.lower()}",
                pipeline=pipeline,
                stage=pipeline.stages[0],
                user=organization.owner,
                items=items,
                prediction_date=self._prediction() if chance.happens(0.5) else None,
                rating=chance.number(1, 5),
                organization=organization,
                contacts=list(organization.contacts),
                source=chance.maybe(team.sources.values()) if chance.happens(0.6) else None,
                campaign=chance.maybe(team.campaigns.values()) if chance.happens(0.6) else None,
                stays=[(pipeline.stages[0], at)],
                **team.born(at),
            )
        )

    def task(self, deal: Deal) -> Task:
        """Make a task of a deal's owner; an automation makes some."""
        type_, name, description = self._chance.one(names.ERRANDS)
        return self._team.add(
            Task(
                name=name,
                description=description,
                type=type_,
                due_date=self.soon(),
                deal=deal,
                owners=[deal.user],
                created_by=deal.user if self._chance.happens(0.8) else None,
                **self._new(),
            )
        )

    def product(self) -> Product:
        """Make a product: another edition of one that there was at the beginning."""
        name, description, price, recurrence = self._chance.one(names.WARES)
        price = round(price * self._chance.within(0.8, 1.5), 2)
        return self._team.add(
            Product(
                name=self._edition(name), description=description, price=price, recurrence=recurrence, **self._new()
            )
        )

    def campaign(self) -> Campaign:
        """Make a campaign."""
        return self._team.add(Campaign(name=self._edition(self._chance.one(names.CAMPAIGNS)), **self._new()))

    def source(self) -> Source:
        """Make a source."""
        return self._team.add(Source(name=self._edition(self._chance.one(names.SOURCES)), **self._new()))

    def lost_reason(self) -> LostReason:
        """Make a reason to lose a deal for."""
        return self._team.add(LostReason(name=self._edition(self._chance.one(names.LOST_REASONS)), **self._new()))

    def item(self, at: datetime) -> Item:
        """Make a product of a deal."""
        product = self._chance.one(self._team.products.values())
        amount = self._chance.number(1, 3)
        return Item(id=self._team.new_id(at), product=product, price=product.price, amount=amount, since=at)

    def custom(self, kind: str) -> dict[str, Json]:
        """Fill the custom fields of a kind."""
        return {
            field.id: self._value(field.type, field.opts) for field in self._team.fields.values() if field.of == kind
        }

    def soon(self) -> datetime:
        """Return a time in the next days."""
        later = self._team.now() + timedelta(hours=self._chance.number(1, 120))
        return later.replace(second=0, microsecond=0)

    def phone(self) -> str:
        """Return a Brazilian mobile number."""
        return f"+55{self._chance.number(11, 99)}9{self._chance.number(10**7, 10**8 - 1)}"

    def _contact(self, organization: Organization, at: datetime) -> Contact:
        chance, first, last = self._chance, self._chance.one(names.FIRST_NAMES), self._chance.one(names.LAST_NAMES)
        birthday = f"{chance.one(('0000', '1974', '1988'))}-{chance.number(1, 12):02}-{chance.number(1, 28):02}"
        return self._team.add(
            Contact(
                name=f"{first} {last}",
                job_title=chance.one(names.JOB_TITLES),
                emails=[f"{slug(first)}.{slug(last)}@{slug(organization.name)}.example"],
                phones=[self.phone()],
                birthday=birthday if chance.happens(0.4) else None,
                organization=organization,
                **self._team.born(at),
            )
        )

    def _new(self) -> dict[str, Any]:
        return self._team.born(self._team.now())

    def _edition(self, name: str) -> str:
        return f"{name} {self._team.now().year + self._chance.number(0, 2)}"

    def _prediction(self) -> date:
        return (self._team.now() + timedelta(days=self._chance.number(5, 90))).date()

    def _value(self, type_: str, opts: tuple[str, ...]) -> Json:
        if type_ == "multiple_choice":
            return list(self._chance.some(opts, self._chance.number(0, len(opts))))
        return self._chance.one(opts) if opts else str(self._chance.number(10**9, 10**10 - 1))
