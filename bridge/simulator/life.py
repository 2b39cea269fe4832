"""What the team does by itself, one deed after another, as a seeded chance has it."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Final, TypeAlias, TypeVar

from bridge.simulator.chance import Chance
from bridge.simulator.entities import Deal, Record, Stage, Task
from bridge.simulator.making import Maker
from bridge.simulator.team import Team

Deed: TypeAlias = Callable[[], bool]
"""Does something, or returns False because there is nothing to do it with."""
RecordT = TypeVar("RecordT", bound=Record)

EAGER: Final = 0.5
"""How much more likely a new deal is for each one that is missing."""
LAZY: Final = 0.5
"""How much less likely it is while there are enough."""
MEMORY: Final = timedelta(days=60)
"""How old the deals of the beginning are at most."""


class Life:
    """Lets the team do something, again and again."""

    def __init__(self, team: Team, chance: Chance, deals: int) -> None:
        """Take who acts, what decides, and about how many deals are to be open."""
        self._team = team
        self._chance = chance
        self._deals = deals
        self._maker = Maker(team, chance)
        self._deeds: tuple[tuple[Deed, float], ...] = (
            (self._begin, 14),
            (self._advance, 22),
            (self._price, 12),
            (self._give, 6),
            (self._win, 6),
            (self._lose, 6),
            (self._pause, 2),
            (self._resume, 2),
            (self._reopen, 1.5),
            (self._rate, 3),
            (self._correct, 1.5),
            (self._drop, 0.7),
            (self._plan, 12),
            (self._reschedule, 6),
            (self._complete, 9),
            (self._cancel, 2),
            (self._forget, 0.7),
            (self._know_better, 4),
            (self._lose_touch, 0.7),
            (self._follow, 2),
            (self._abandon, 0.5),
            (self._reprice, 0.7),
            (self._tidy, 2),
        )

    def step(self) -> None:
        """Do one thing that can be done."""
        deeds, weights = [deed for deed, _ in self._deeds], [weight for _, weight in self._deeds]
        missing = self._deals - len(self._open())
        weights[0] *= 1 + EAGER * missing if missing > 0 else LAZY
        while not self._chance.weighted(deeds, weights)():
            pass

    def old_deal(self) -> Deal:
        """Make a deal as it may have become in the weeks before the beginning."""
        at = self._team.now() - MEMORY * self._chance.within(0, 1)
        deal = self._maker.deal(self._maker.organization(at), at)
        for stage in deal.pipeline.stages[1 : self._chance.number(1, len(deal.pipeline.stages))]:
            at += (self._team.now() - at) * self._chance.within(0, 1)
            deal.stays.append((stage, at))
            deal.stage = stage
        deal.updated_at = max(deal.updated_at, at.replace(microsecond=at.microsecond // 1000 * 1000))
        if self._chance.happens(0.3):
            deal.closed_at, deal.status = deal.updated_at, self._chance.one(("won", "lost"))
            deal.lost_reason = self._chance.one(self._team.lost_reasons.values()) if deal.status == "lost" else None
        return deal

    # deals

    def _begin(self) -> bool:
        """Begin a deal, with a new customer or one that is known."""
        known = None if self._chance.happens(0.6) else self._chance.maybe(self._team.organizations.values())
        self._maker.deal(known or self._maker.organization(self._team.now()), self._team.now())
        return True

    def _advance(self) -> bool:
        """Move a deal on, now and then back."""
        step = 1 if self._chance.happens(0.9) else -1
        deal = self._deal(lambda deal: _beside(deal, step) is not None)
        return self._done(deal, lambda deal: self._team.move(deal, _beside(deal, step) or deal.stage))

    def _price(self) -> bool:
        def sell(deal: Deal) -> None:
            kept = [item for item in deal.items if self._chance.happens(0.7)]
            self._team.price(deal, [*kept, self._maker.item(self._team.now())])

        return self._done(self._deal(), sell)

    def _give(self) -> bool:
        def give(deal: Deal) -> None:
            self._team.give(deal, self._chance.one(user for user in self._team.users.values() if user is not deal.user))

        return self._done(self._deal(), give)

    def _win(self) -> bool:
        return self._done(self._deal(lambda deal: deal.stage.order > 1), self._team.win)

    def _lose(self) -> bool:
        reason = self._chance.one(self._team.lost_reasons.values())
        note = "Voltar a falar no próximo trimestre" if self._chance.happens(0.3) else None
        return self._done(self._deal(), lambda deal: self._team.lose(deal, reason, note))

    def _pause(self) -> bool:
        return self._done(self._deal(), self._team.pause)

    def _resume(self) -> bool:
        return self._done(self._deal(status="paused"), self._team.reopen)

    def _reopen(self) -> bool:
        return self._done(self._deal(status=self._chance.one(("lost", "won"))), self._team.reopen)

    def _rate(self) -> bool:
        def rate(deal: Deal) -> None:
            rating = self._chance.one({*range(1, 6)} - {deal.rating})
            told = f"rating {deal.rating} → {rating}"
            self._team.edit(deal, told, rating=rating, custom=self._maker.custom("deal"))

        return self._done(self._deal(), rate)

    def _correct(self) -> bool:
        """Edit a deal that is won or lost already."""
        deal, custom = self._deal(status=self._chance.one(("lost", "won"))), self._maker.custom("deal")
        return self._done(deal, lambda each: self._team.edit(each, "corrected", custom=custom))

    def _drop(self) -> bool:
        return self._done(self._deal(), self._team.delete)

    # tasks

    def _plan(self) -> bool:
        return self._done(self._deal(), self._maker.task)

    def _reschedule(self) -> bool:
        return self._done(self._task(), lambda task: self._team.reschedule(task, self._maker.soon()))

    def _complete(self) -> bool:
        return self._done(self._task(), lambda task: self._team.complete(task, task.owners[0]))

    def _cancel(self) -> bool:
        return self._done(self._task(), self._team.cancel)

    def _forget(self) -> bool:
        return self._done(self._task(), self._team.delete)

    # customers

    def _know_better(self) -> bool:
        contact = self._chance.maybe(self._team.contacts.values())
        phone, custom = self._maker.phone(), self._maker.custom("contact")
        return self._done(
            contact, lambda each: self._team.edit(each, "edited", phones=[*each.phones[-1:], phone], custom=custom)
        )

    def _lose_touch(self) -> bool:
        needed = {id(contact) for deal in self._open() for contact in deal.contacts}
        return self._done(self._unneeded(self._team.contacts, needed), self._team.delete)

    def _follow(self) -> bool:
        """Let somebody follow a company."""
        user = self._chance.one(self._team.users.values())
        unknown = [each for each in self._team.organizations.values() if user not in each.followers]
        told = f"followed by {user.name}"
        return self._done(
            self._chance.maybe(unknown), lambda each: self._team.edit(each, told, followers=[*each.followers, user])
        )

    def _abandon(self) -> bool:
        """Delete a company that has neither open deals nor contacts."""
        needed = {id(deal.organization) for deal in self._open()}
        bare = {key: each for key, each in self._team.organizations.items() if not each.contacts}
        return self._done(self._unneeded(bare, needed), self._team.delete)

    # lists

    def _reprice(self) -> bool:
        product = self._chance.one(self._team.products.values())
        price = round(product.price * self._chance.within(0.9, 1.15), 2)
        self._team.edit(product, f"price {product.price:.2f} → {price:.2f}", price=price)
        return True

    def _tidy(self) -> bool:
        """Make, rename or delete a product, a campaign, a source or a reason."""
        deeds: tuple[Deed, ...] = (
            lambda: self._tidied(self._team.products, self._maker.product),
            lambda: self._tidied(self._team.campaigns, self._maker.campaign),
            lambda: self._tidied(self._team.sources, self._maker.source),
            lambda: self._tidied(self._team.lost_reasons, self._maker.lost_reason),
        )
        return self._chance.one(deeds)()

    def _tidied(self, holder: Mapping[str, RecordT], make: Callable[[], RecordT]) -> bool:
        if self._chance.happens(0.4):
            make()
            return True
        if self._chance.happens(0.5) and len(holder) > 1:
            return self._done(self._unneeded(holder, set(self._pointed_at())), self._team.delete)
        name = f"{self._chance.one(holder.values()).name.split(' (')[0]} ({self._chance.number(2, 99)})"
        return self._done(
            self._chance.maybe(holder.values()), lambda each: self._team.edit(each, f"was {each.name}", name=name)
        )

    # choosing

    def _done(self, record: RecordT | None, deed: Callable[[RecordT], object]) -> bool:
        if record is None:
            return False
        deed(record)
        return True

    def _deal(self, fits: Callable[[Deal], bool] = lambda _: True, *, status: str = "ongoing") -> Deal | None:
        return self._chance.maybe(deal for deal in self._team.deals.values() if deal.status == status and fits(deal))

    def _task(self) -> Task | None:
        return self._chance.maybe(task for task in self._team.tasks.values() if task.status == "open")

    def _open(self) -> list[Deal]:
        return [deal for deal in self._team.deals.values() if deal.open]

    def _unneeded(self, holder: Mapping[str, RecordT], needed: set[int]) -> RecordT | None:
        return self._chance.maybe(record for record in holder.values() if id(record) not in needed)

    def _pointed_at(self) -> Iterator[int]:
        for deal in self._open():
            yield from map(id, (deal.campaign, deal.source, *(item.product for item in deal.items)))


def _beside(deal: Deal, step: int) -> Stage | None:
    """Return the stage so many further on in a deal's pipeline."""
    place = deal.pipeline.stages.index(deal.stage) + step
    return deal.pipeline.stages[place] if 0 <= place < len(deal.pipeline.stages) else None
