import pytest

from bridge.component import NamedTrigger, Source
from bridge.config.listening import compile_listeners
from bridge.config.problems import Problems
from bridge.config.vocabulary import Vocabulary, vocabulary
from bridge.model import Envelope, Event, JsonObject, Reading
from bridge.options import Located


class Shop(Source):  # type: ignore[type-arg]  # its options do not matter here
    events = {"order_paid": "order", "order_sent": "order", "visit": "visitor"}  # noqa: RUF012 (ClassVars of the base)
    shapes = {"order": {"id": None, "buyer": {"name": None}, "tags": {}}}  # noqa: RUF012
    references = {"order": {"visitor": "visitor_id"}}  # noqa: RUF012
    triggers = {"order.big": NamedTrigger("order.big", ("order_paid",), "Big.", "Grande.", {"id": "1"})}  # noqa: RUF012

    def read(self, body: bytes) -> Envelope:
        raise NotImplementedError

    def interpret(self, event: Event, last: JsonObject | None) -> Reading:
        raise NotImplementedError


class Market(Shop):
    shapes = {"order": {"id": None, "seller": None}}  # noqa: RUF012
    triggers = {"order.big": NamedTrigger("order.big", ("order_sent",), "Big.", "Grande.")}  # noqa: RUF012


class Broken(Shop):
    triggers = {"order.big": NamedTrigger("order.big", ("order_paid",), "Big.", "Grande.", {"id": {"egal": 1}})}  # noqa: RUF012


@pytest.fixture
def words() -> Vocabulary:
    return vocabulary([Shop, Market, Shop], complete=True)


def heard(on: object, words: Vocabulary) -> list[tuple[str, set[str], bool]]:
    problems = Problems(Located("f"))
    listeners = compile_listeners(on, ("on",), words, problems)
    assert not problems.found
    return [(listener.name, set(listener.events), listener.matcher is not None) for listener in listeners]


def test_a_trigger_of_two_types_of_source_is_heard_from_both(words: Vocabulary) -> None:
    assert heard("order.big", words) == [("order.big", {"order_paid"}, True), ("order.big", {"order_sent"}, False)]


def test_names_and_patterns_become_listeners(words: Vocabulary) -> None:
    assert heard(["visit", "order_*", "order_[ps]*"], words) == [
        ("visit", {"visit"}, False),
        ("order_*", {"order_paid", "order_sent"}, False),
        ("order_[ps]*", {"order_paid", "order_sent"}, False),
    ]


def test_a_trigger_that_does_not_compile_is_the_fault_of_its_source() -> None:
    with pytest.raises(TypeError, match="a trigger of a source does not compile"):
        heard("order.big", vocabulary([Broken], complete=True))


def test_a_field_is_known_if_any_shape_of_any_kind_knows_it(words: Vocabulary) -> None:
    assert words.unknown_field({"order"}, "buyer.name") is None
    assert words.unknown_field({"order"}, "seller") is None
    assert words.unknown_field({"order"}, "tags.anything.goes") is None
    assert words.unknown_field({"order"}, "buyer.nme") == (
        'the order has no field "buyer.nme"',
        'did you mean "name"?',
    )


def test_a_kind_without_a_shape_may_have_any_field(words: Vocabulary) -> None:
    assert words.unknown_field({"visitor"}, "whatever") is None
    assert words.unknown_field({"visitor", "order"}, "whatever") is None
