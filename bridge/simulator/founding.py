"""How the team begins: its people, pipelines and lists, and the deals that are already there."""

from datetime import timedelta
from typing import Final

from bridge.document import slug
from bridge.simulator import names
from bridge.simulator.chance import Chance
from bridge.simulator.entities import (
    Campaign,
    CustomField,
    LostReason,
    Pipeline,
    Product,
    Segment,
    Source,
    Stage,
    User,
)
from bridge.simulator.life import Life
from bridge.simulator.team import Team

PEOPLE: Final = 5
AGE: Final = timedelta(days=400)
"""How long ago the account was made."""
CAMPAIGNS: Final = 4
"""How many of the campaigns there are already; the others come as time goes by."""


def found(team: Team, chance: Chance, life: Life, deals: int) -> None:
    """Fill an empty team. Nobody is told of it: no webhooks are posted for what was there before."""
    _people(team, chance)
    _lists(team)
    _pipelines(team)
    _fields(team, chance)
    while deals:
        deals -= life.old_deal().open


def _people(team: Team, chance: Chance) -> None:
    firsts, lasts = chance.some(names.FIRST_NAMES, PEOPLE), chance.some(names.LAST_NAMES, PEOPLE)
    for first, last in zip(firsts, lasts, strict=True):
        email = f"{slug(first)}.{slug(last)}@vendas.example"
        user = User(name=f"{first} {last}", email=email, **team.born(team.now() - AGE))
        team.users[user.id] = user


def _lists(team: Team) -> None:
    at = team.now() - AGE
    for name in names.SEGMENTS:
        segment = Segment(name=name, **team.born(at))
        team.segments[segment.id] = segment
    for name, description, price, recurrence in names.WARES:
        team.add(Product(name=name, description=description, price=price, recurrence=recurrence, **team.born(at)))
    for name in names.LOST_REASONS:
        team.add(LostReason(name=name, **team.born(at)))
    for name in names.SOURCES:
        team.add(Source(name=name, **team.born(at)))
    for name in names.CAMPAIGNS[:CAMPAIGNS]:
        team.add(Campaign(name=name, **team.born(at)))


def _pipelines(team: Team) -> None:
    at = team.now() - AGE
    for order, (name, stages) in enumerate(names.PIPELINES, 1):
        pipeline = Pipeline(
            name=name,
            order=order,
            stages=[Stage(name=stage, order=place, **team.born(at)) for place, stage in enumerate(stages, 1)],
            **team.born(at),
        )
        team.pipelines[pipeline.id] = pipeline


def _fields(team: Team, chance: Chance) -> None:
    """Make the custom fields; where the CRM has met a label before, a slug ends in four digits."""
    for number, (of, label, type_, opts) in enumerate(names.FIELDS):
        suffix = f"-{number}{chance.digits(3)}" if number % 2 else ""
        made = CustomField(
            name=label, of=of, type=type_, opts=opts, slug=slug(label) + suffix, **team.born(team.now() - AGE)
        )
        team.fields[made.id] = made
