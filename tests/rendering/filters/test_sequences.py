import pytest

from bridge.rendering import TemplateFailedError
from tests.rendering.conftest import Render

OVER_LISTS = (
    "first",
    "join",
    "last",
    "length",
    "list",
    "map('upper')",
    "max",
    "min",
    "reverse",
    "select",
    "sort",
    "sum",
)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ ['a', none, '', 'b'] | join(' · ') }}", "a · b"),
        ("{{ ['a' if false, 'b'] | join(' · ') }}", "b"),
        ("{{ [{'n': 'a'}, {'n': none}, {'n': 'b'}] | join('+', attribute='n') }}", "a+b"),
        ("{{ [1, 2.5, none] | sum }}", "3.5"),
        ("{{ [{'n': 1}, {'n': 2}] | sum(attribute='n') }}", "3"),
        ("{{ [3, 1, 2] | sort | join }}", "1, 2, 3"),
        ("{{ [3, 1, 2] | max }}{{ [3, 1, 2] | min }}", "31"),
        ("{{ ['a', 'b'] | first }}{{ ['a', 'b'] | last }}", "ab"),
        ("{{ 'abc' | length }}{{ {'a': 1} | length }}{{ [1, 2] | length }}", "312"),
        ("{{ 'abc' | list }}", "a, b, c"),
        ("{{ [1, 2, 3, 4] | select('even') | list }}", "2, 4"),
        ("{{ [1, 2, 3, 4] | reject('gt', 2) | list }}", "1, 2"),
        ("{{ [{'n': 1}, {'n': 2}] | selectattr('n', 'eq', 2) | map(attribute='n') | list }}", "2"),
        ("{{ [{'n': 1}, {'n': none}] | rejectattr('n') | list | length }}", "1"),
        ("{{ ['a', 'b', 'a'] | unique | list }}", "a, b"),
        ("{{ [1, 2] | reverse | list }}", "2, 1"),
        (
            "{% for n, g in [{'n': 1}, {'n': 1}] | groupby('n') %}{{ n }}:{{ g | length }}{% endfor %}",
            "1:2",
        ),
        ("{{ {'b': 1, 'a': 2} | dictsort | map('first') | list }}", "a, b"),
        ("{% for k, v in {'b': 1} | items %}{{ k }}{{ v }}{% endfor %}", "b1"),
        ("{{ 2.456 | round(2) }} {{ 2.4 | round }} {{ -3 | abs }}", "2.46 2 3"),
        ("{{ (-3) | abs }} {{ '12' | int }} {{ '1.5' | float }} {{ 'x' | int }}", "3 12 1.5 0"),
        ("{{ document.tags | map('upper') | join }}", "A, <B>"),
    ],
)
def test_filters_over_lists_and_numbers(render: Render, source: str, text: str) -> None:
    assert render(source) == text


@pytest.mark.parametrize("name", OVER_LISTS)
def test_nothing_is_an_empty_list(render: Render, name: str) -> None:
    assert render(f"{{{{ none | {name} }}}}") == render(f"{{{{ [] | {name} }}}}")


@pytest.mark.parametrize("name", OVER_LISTS)
def test_what_is_no_list_is_an_error(render: Render, name: str) -> None:
    with pytest.raises(TemplateFailedError, match="wants a list, not a number"):
        render(f"{{{{ 3 | {name} }}}}")


@pytest.mark.parametrize("name", OVER_LISTS)
def test_an_undefined_field_is_an_error(render: Render, name: str) -> None:
    with pytest.raises(TemplateFailedError, match='deal has no field "nope"'):
        render(f"{{{{ deal.nope | {name} }}}}")


@pytest.mark.parametrize("name", ["abs", "round"])
def test_number_filters_want_numbers(render: Render, name: str) -> None:
    assert render(f"[{{{{ none | {name} }}}}]") == "[]"
    with pytest.raises(TemplateFailedError, match=f"{name} wants a number, not a text"):
        render(f"{{{{ 'x' | {name} }}}}")
    with pytest.raises(TemplateFailedError, match='deal has no field "nope"'):
        render(f"{{{{ deal.nope | {name} }}}}")
