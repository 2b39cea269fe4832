from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.control.filters import MOST, delivery_query, entity_from, event_query, parameters_of
from bridge.errors import RequestRefusedError
from bridge.model import DeliveryState, Entity, EventState
from bridge.store.nouns import DeliveryQuery, EventQuery

WORDS = st.text(min_size=1, max_size=20)
TIMES = st.none() | st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (hypothesis adds it)
ENTITIES = st.none() | st.builds(Entity, st.from_regex(r"[a-z_]+", fullmatch=True), WORDS)


@given(
    st.builds(
        EventQuery,
        states=st.lists(st.sampled_from(EventState)).map(tuple),
        source=st.none() | WORDS,
        name=st.none() | WORDS,
        entity=ENTITIES,
        since=TIMES,
        until=TIMES,
        limit=st.integers(1, MOST),
    )
)
def test_an_event_query_survives_the_way_through_its_parameters(query: EventQuery) -> None:
    assert event_query(parameters_of(query)) == query


@given(
    st.builds(
        DeliveryQuery,
        states=st.lists(st.sampled_from(DeliveryState)).map(tuple),
        target=st.none() | WORDS,
        route=st.none() | WORDS,
        event_id=st.none() | WORDS,
        since=TIMES,
        until=TIMES,
        limit=st.integers(1, MOST),
    )
)
def test_a_delivery_query_survives_the_way_through_its_parameters(query: DeliveryQuery) -> None:
    assert delivery_query(parameters_of(query)) == query


def test_no_parameters_mean_the_newest_fifty() -> None:
    assert event_query({}) == EventQuery(limit=50)


def test_a_time_with_an_offset_is_the_same_moment_and_one_without_is_utc() -> None:
    query = event_query({"since": ["2026-11-24T09:00:00-03:00"], "until": ["2026-11-24T12:00:00"]})
    assert query.since == query.until == datetime(2026, 11, 24, 9, tzinfo=timezone(-timedelta(hours=3)))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("state", "lost", 'there is no state "lost"'),
        ("state", "routd", 'did you mean "routed"?'),
        ("sauce", "crm", 'there is no filter "sauce"; did you mean "source"?'),
        ("since", "yesterday", '"yesterday" is no time'),
        ("limit", "0", "limit is a number from 1 to 10000"),
        ("limit", "10001", "limit is a number from 1 to 10000"),
        ("limit", "9" * 5000, "limit is a number from 1 to 10000"),
        ("limit", "\u0661", "limit is a number from 1 to 10000"),
        ("entity", "deal", "write it as kind:id"),
        ("entity", "deal:", "write it as kind:id"),
        ("entity", ":1", "write it as kind:id"),
    ],
)
def test_a_filter_that_means_nothing_is_refused_with_what_would(name: str, value: str, message: str) -> None:
    with pytest.raises(RequestRefusedError) as refusal:
        event_query({name: [value]})
    assert refusal.value.code == "bad-filter"
    assert message in str(refusal.value)


@pytest.mark.parametrize("values", [["a", "b"], []])
def test_only_state_is_given_more_than_once(values: list[str]) -> None:
    with pytest.raises(RequestRefusedError, match="more than once"):
        event_query({"source": values})


def test_an_id_may_hold_colons() -> None:
    assert entity_from("deal:a:b") == Entity("deal", "a:b")
