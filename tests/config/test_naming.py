import pytest

from bridge.config.naming import describe
from bridge.model import Json
from bridge.options import Loc

DOCUMENT: Json = {"routes": [{"name": "deal-lost"}, {"name": 3}]}


@pytest.mark.parametrize(
    ("loc", "name"),
    [
        ((), "the file"),
        (("version",), '"version"'),
        (("sources", "crm"), 'source "crm"'),
        (("targets", "sales", "auth", "bearer"), '"bearer" of "auth" of target "sales"'),
        (("routes", 0), 'route "deal-lost"'),
        (("routes", 1), "route 2"),
        (("routes", 7), "route 8"),
        (("routes", 0, "deliver", 1), 'entry 2 of route "deal-lost"'),
        (("routes", 0, "on", 1), 'item 2 of "on" of route "deal-lost"'),
    ],
)
def test_every_part_has_a_name(loc: Loc, name: str) -> None:
    assert describe(DOCUMENT, loc) == name
