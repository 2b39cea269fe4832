"""Orders and groups, as Jinja makes them."""

import pytest

from bridge.rendering import TemplateFailedError
from tests.rendering.conftest import Render

ROWS = [{"name": "b", "n": 2}, {"name": "A", "n": 1}, {"name": "a", "n": 3}]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ rows | sort(attribute='name,n') | map(attribute='n') | join }}", "1, 3, 2"),
        ("{{ rows | sort(true, true, 'name') | map(attribute='name') | join }}", "b, a, A"),
        ("{{ rows | unique(attribute='name') | map(attribute='n') | join }}", "2, 1"),
        ("{{ rows | unique(true, 'name') | list | length }}", "3"),
        ("{{ rows | max(attribute='n') | items | list }}", '[["name", "a"], ["n", 3]]'),
        ("{{ ['b', 'A'] | min }}{{ ['b', 'A'] | max }}{{ [] | min }}", "Ab"),
        ("{% for name, each in rows | groupby('name') %}{{ name }}{{ each | length }} {% endfor %}", "A2 b1 "),
        ("{% for name, each in rows | groupby('nope', '-') %}{{ name }}{{ each | length }}{% endfor %}", "-3"),
        ("{{ rows | groupby('name', case_sensitive=true) | length }}", "3"),
        ("{% for k, v in {'b': 1, 'A': 2} | dictsort %}{{ k }}{{ v }}{% endfor %}", "A2b1"),
        ("{% for k, v in {'b': 1, 'A': 2} | dictsort(by='value', reverse=true) %}{{ k }}{% endfor %}", "Ab"),
    ],
)
def test_items_are_put_into_an_order(render: Render, source: str, text: str) -> None:
    assert render(source, rows=ROWS) == text


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ 1 | sort }}", "sort wants a list, not a number"),
        ("{{ 1 | dictsort }}", "dictsort wants an object, not a number"),
        ("{{ {} | dictsort(by='x') }}", 'dictsort sorts by "key" or "value"'),
        ("{{ ['a', 1] | sort }}", "`<` cannot compare a number with a text"),
    ],
)
def test_what_has_no_order_says_so(render: Render, source: str, message: str) -> None:
    with pytest.raises(TemplateFailedError, match=message):
        render(source)
