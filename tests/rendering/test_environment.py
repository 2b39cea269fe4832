"""The sandbox: everything that is not listed is out of reach."""

import time

import pytest

from bridge.rendering import Rendering, TemplateFailedError, TemplateSyntaxProblem, budget
from bridge.rendering.budget import Seen
from tests.rendering.conftest import Render

ESCAPES_FROM_THE_SANDBOX = [
    "{{ deal.__class__ }}",
    "{{ deal['__class__'] }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ deal.name.__init__.__globals__ }}",
    "{{ deal.entity }}",
    "{{ deal.source.options }}",
    "{{ deal.kind }}",
    "{{ changes.source }}",
    "{{ days.__globals__ }}",
    "{{ days.__call__ }}",
    "{{ range.__init__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ self.__dict__ }}",
    "{{ self._TemplateReference__context }}",
    "{% macro m() %}{% endmacro %}{{ m._environment }}",
    "{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}",
    "{% for x in [1] %}{{ loop._iterator }}{{ loop.__init__ }}{% endfor %}",
    "{{ deal | map(attribute='__class__') | list }}",
    "{{ [deal] | map(attribute='__class__') | join }}",
    "{{ [deal] | sum(attribute='__class__') }}",
    "{{ [deal] | selectattr('__class__') | list | length + deal.nope }}",
    "{{ [deal] | groupby('__class__') }}",
    "{{ '{0.__class__}'.format(deal) }}",
    "{{ '{a.__class__}'.format_map({'a': deal}) }}",
    "{{ ''.join(['a']) }}",
    "{{ now.strftime('%Y') }}",
    "{{ now.__reduce__() }}",
    "{{ deal.pop('name') }}",
    "{{ deal.update({}) }}",
    "{{ document.tags.append(1) }}",
    "{{ changes.clear() }}",
    "{{ 'a'.encode().__class__ }}",
    "{{ (1).__class__ }}",
    "{{ days }}",
    "{{ range }}",
    "{{ self }}",
    "{{ cycler }}",
    "{{ lipsum() }}",
    "{{ config }}",
    "{{ environ }}",
    "{{ caller() }}",
]


@pytest.mark.parametrize("source", ESCAPES_FROM_THE_SANDBOX)
def test_what_is_not_listed_is_refused(render: Render, source: str) -> None:
    with pytest.raises(TemplateFailedError):
        render(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ deal.name | safe }}",
        "{{ deal.name | e }}",
        "{{ deal | attr('__class__') }}",
        "{{ deal | pprint }}",
        "{{ [1] | random }}",
        "{{ deal.name | xmlattr }}",
        "{{ '%s' | format(deal.name) }}",
        "{{ 1 is callable }}",
        "{% extends 'a' %}",
        "{% block a %}{% endblock %}",
        "{% include deal.name %}",
        "{% include ['a', 'b'] %}",
        "{% import deal.name as x %}",
        "{% from deal.name import x %}",
        "{% for x in [] recursive %}{% endfor %}",
        "{% do x %}",
        "{% autoescape false %}{% endautoescape %}",
        "{{ deal.name | map('safe') }}{{",
    ],
)
def test_what_the_language_leaves_out_does_not_compile(rendering: Rendering, source: str) -> None:
    with pytest.raises(TemplateSyntaxProblem):
        rendering.text(source)


def test_a_filter_named_by_a_text_is_one_of_the_listed_too(render: Render) -> None:
    with pytest.raises(TemplateFailedError, match="No filter named 'safe'"):
        render("{{ ['<b>'] | map('safe') | join }}", slack=True)


DOUBLED = "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}"
"""Makes a small list that would be endless if it were written out."""

BOMBS = [
    "{% for i in range(10000) %}{% for j in range(10000) %}{% endfor %}{% endfor %}",
    "{% for i in range(10000) %}{% for j in range(10000) %}{{ deal.name }}{% endfor %}{% endfor %}",
    "{% for i in range(9999) %}{{ 'x' * 9999 }}{% endfor %}",
    "{% macro m() %}{% for i in range(9999) %}{{ 'x' * 99999 ~ i }}{% endfor %}{% endmacro %}{{ m() }}",
    "{{ range(10 ** 9) | list }}",
    "{{ 'a' * 10 ** 9 }}",
    "{{ 10 ** 9 * 'a' }}",
    "{{ [1] * 10 ** 9 }}",
    "{{ [0] * 3 }}",
    "{{ 10 ** (10 ** 9) }}",
    "{{ 2 ** 2 ** 2 ** 2 ** 2 ** 2 ** 2 ** 2 ** 2 ** 2 ** 2 }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ deal.name.center(10 ** 9) }}",
    "{{ deal.name.ljust(10 ** 9) }}",
    "{{ deal.name.zfill(10 ** 9) }}",
    "{{ deal.name.expandtabs(10 ** 9) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ 'a\nb' | indent(10 ** 9) }}",
    "{{ 1.5 | round(10 ** 9) }}",
    "{{ 1.5 | number(10 ** 9) }}",
    "{{ now | date('y' * 10 ** 6) }}",
    "{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "{% set ns = namespace(x=[1, 2]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    DOUBLED + "{{ ns.x }}",
    DOUBLED + "{{ ns.x | tojson }}",
    DOUBLED + "{{ ns.x | upper }}",
    DOUBLED + "{{ ns.x | string }}",
    "{% set x = 'ab' * 9999 %}{{ x | replace('a', x) }}",
    "{% set x = 'ab' * 9999 %}{{ x | list | join(x) }}",
    "{% set r = range(9999) | list %}{% for i in r %}{{ r | join }}{% endfor %}",
    "{% set r = range(9999) | list %}{% for i in r %}{{ r | sum }}{% endfor %}",
    "{% set r = range(9999) | list %}{% for i in r %}{{ r | map('money') | list | length }}{% endfor %}",
    "{% set r = range(9999) | list %}{% for i in r %}{{ r | sort | first }}{% endfor %}",
    "{% set x = 'a,' * 9999 %}{% for i in range(9999) %}{% set z = x.split(',') %}{% endfor %}",
    "{% set x = 'a' * 9999 %}{% for i in range(9999) %}{% set z = x.find('b') %}{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(40) }}",
]

LONG = "{% set x = 'a' * 1000000 %}"
MANY = LONG + "{% set many = ('a' * 9999).split('a') | map('default', x) | list %}"
"""One long text, ten thousand times in a list: small where it is kept."""
TURNS = "{% for i in range(9) %}{% for j in range(9999) %}"
ENDS = "{% endfor %}{% endfor %}"
TWO = (
    "{% set ns = namespace(x=[1], y=[1]) %}"
    "{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}"
)
"""Makes two such lists; Python would compare them without coming back."""
PAIRED = "{% set ns = namespace(x=(1,)) %}{% for i in range(60) %}{% set ns.x = (ns.x, ns.x) %}{% endfor %}"
OBJECTS = (
    "{% set ns = namespace(x={}, y={}) %}{% for i in range(60) %}"
    "{% set ns.x = {'a': ns.x, 'b': ns.x} %}{% set ns.y = {'a': ns.y, 'b': ns.y} %}{% endfor %}"
)
GROUPED = (
    "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(60) %}"
    "{% set ns.x = (','.split(',') | map('default', ns.x) | groupby('nope', '') | first)[1] %}"
    "{% set ns.y = (','.split(',') | map('default', ns.y) | groupby('nope', '') | first)[1] %}{% endfor %}"
)

BOMBS += [
    *(TWO + f"{{{{ ns.x {sign} ns.y }}}}" for sign in ("==", "!=", "<", "<=", ">", ">=")),
    TWO + "{{ ns.x in [ns.y] }}",
    TWO + "{{ ns.x is eq(ns.y) }}",
    TWO + "{{ [ns.y].index(ns.x) }}",
    TWO + "{{ [ns.y].count(ns.x) }}",
    TWO + "{{ [ns.y] | select('eq', ns.x) | list | length }}",
    TWO + "{{ [ns.y, ns.x] | sort | length }}",
    TWO + "{{ [ns.y, ns.x] | max | length }}",
    TWO + "{{ [[ns.y], [ns.x]] | groupby('0') | length }}",
    TWO + "{{ {'a': ns.y, 'b': ns.x} | dictsort(by='value') | length }}",
    TWO + "{% for x in [ns.x, ns.y] %}{{ loop.changed(x) }}{% endfor %}",
    TWO + "{{ ns.x[:] == ns.y[:] }}",
    TWO + "{% macro m() %}{{ varargs == [ns.x] }}{% endmacro %}{{ m(ns.y) }}",
    TWO + "{% macro m() %}{{ kwargs == {'a': ns.x} }}{% endmacro %}{{ m(a=ns.y) }}",
    GROUPED + "{{ ns.x == ns.y }}",
    OBJECTS + "{{ ns.x == ns.y }}",
    OBJECTS + "{{ ns.x != ns.y }}",
    OBJECTS + "{{ ns.x | default('a') }}",
    OBJECTS + "{{ 1 if ns.x else 2 }}",
    PAIRED + "{{ {ns.x: 1} }}",
    PAIRED + "{{ deal[ns.x] }}",
    PAIRED + "{{ deal.get(ns.x) }}",
    PAIRED + "{{ 1 | money(ns.x) }}",
    PAIRED + "{{ now | date(ns.x) }}",
    PAIRED + "{{ [ns.x] | unique | list }}",
    "{% set pair = {'a': 1}.items() | first %}{{ {pair: pair} }}",
    MANY + "{{ many }}",
    MANY + "{{ many | tojson }}",
    MANY + "{{ many | sort | length }}",
    MANY + "{{ many | unique | list | length }}",
    MANY + "{{ many | min | length }}",
    MANY + "{{ many | sort(case_sensitive=true) | length }}",
    LONG + TURNS + "{% set z = x[1:] %}" + ENDS,
    LONG + TURNS + "{% set z %}{{ x }}a{% endset %}" + ENDS,
    LONG + "{% macro m() %}{{ x }}a{% endmacro %}" + TURNS + "{% set z = m() %}" + ENDS,
    "{% set l = range(9999) | list %}" + TURNS + "{% set z = l[1:] %}" + ENDS,
    "{% macro m() %}{% endmacro %}" + TURNS + "{{ m(*range(9999)) }}" + ENDS,
    "{{ ('a' * 999999).rfind('ab' ~ 'a' * 500000) }}",
    "{{ ('a' * 999999).rsplit('ab' ~ 'a' * 500000) }}",
    "{{ ('a' * 999999).rpartition('ab' ~ 'a' * 500000) }}",
    "{% set ns = namespace() %}{% set ns.a = ns %}"
    "{% set many = ('a' * 9999).split('a') | map('default', ns) | list %}"
    "{{ many | sort(attribute='" + "a." * 30000 + "a') | length }}",
]


@pytest.mark.parametrize("slack", [False, True])
@pytest.mark.parametrize("source", BOMBS)
def test_a_template_that_grows_without_end_is_stopped(render: Render, source: str, *, slack: bool) -> None:
    started = time.thread_time()
    with pytest.raises((TemplateFailedError, TemplateSyntaxProblem)):
        render(source, slack=slack)
    assert time.thread_time() - started < 5


def test_templates_of_one_event_share_their_time_and_each_has_a_little(
    rendering: Rendering, context: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = iter(range(10**6))
    monkeypatch.setattr(budget, "thread_time", lambda: next(spent) / 1000)
    turns = rendering.text("{% for i in range(n) %}{% endfor %}")  # looks at the time, a thousandth each, in 16 turns
    with pytest.raises(TemplateFailedError, match=r"more than 0\.5 seconds of the processor$"):
        turns.render(names := Seen({**context, "n": 9999}))
    with pytest.raises(TemplateFailedError, match="with the others of its event"):
        turns.render(names)
    names["n"] = 16 * 20
    assert turns.render(names) == ""
    assert turns.render(Seen({**context, "n": 16 * 400})) == ""


def test_a_copy_of_a_large_object_is_paid_for(render: Render) -> None:
    large = {"inner": dict.fromkeys(map(str, range(100_000)))}
    with pytest.raises(TemplateFailedError, match="does too much"):
        render("{% for i in range(999) %}{% set x = large.inner %}{% endfor %}", large=large)


def test_a_value_that_is_long_only_when_written_is_refused_before_it_is(rendering: Rendering) -> None:
    many = rendering.leaf("{{ ('a' * 9999).split('a') | map('default', 'a' * 1000000) | list }}", None, "rows")
    with pytest.raises(TemplateFailedError, match="does too much"):
        many.value({})


def test_a_text_of_too_many_digits_is_no_number(render: Render) -> None:
    assert render("{{ ('f' * 9999) | int(0, 16) }} {{ 'ff' | int(0, 16) }} {{ '42.5' | int }}") == "0 255 42"


def test_lists_and_objects_of_templates_compare_as_any(render: Render) -> None:
    assert render("{{ [1, deal.name] == [1, deal.name] }} {{ [1] < [deal.items | length] }}") == "true true"
    assert render("{{ {'a': deal.name} == {'a': deal.name} }} {{ [deal.name] + [1] == [deal.name, 1] }}") == "true true"
    assert render("{{ deal.name in (deal.name, 1) }} {{ 2 in document['items'] }}") == "true true"
    assert render("{% for a, b in [(1, deal.status)] %}{{ a }}{{ b }}{% endfor %}") == "1lost"
    assert render("{{ deal.name[:4] }} {{ document.tags[::-1] }} {{ document.tags[-1:][0] }}") == "Loja <b>, a <b>"
    assert render("{{ 'x' if [] == document['items'][:0] }}") == "x"


def test_a_source_without_end_does_not_compile(rendering: Rendering) -> None:
    with pytest.raises(TemplateSyntaxProblem, match="at most 65536 characters"):
        rendering.text("x" * 65537)
    with pytest.raises(TemplateSyntaxProblem, match="nested too deeply"):
        rendering.text("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}")
    with pytest.raises(TemplateSyntaxProblem, match="nested too deeply"):
        rendering.text("{% if 1 %}" * 200 + "{% endif %}" * 200)


def test_what_is_listed_works(render: Render) -> None:
    assert render("{{ deal.name.lower() }} {{ deal.name.startswith('Loja') }}") == "loja <!channel> & cia true"
    assert render("{{ deal.get('nope', 'x') }} {{ document.tags.index('<b>') }}") == "x 1"
    assert render("{% for key, value in deal.deal_stage.items() if value %}{{ key }}={{ value }};{% endfor %}") == (
        "id=s1;name=Proposta;order=3;"
    )
    loop = "{% for x in 'ab' %}{{ loop.index }}/{{ loop.length }}{{ x }}{{ ',' if not loop.last }}{% endfor %}"
    assert render(loop) == "1/2a,2/2b"
    assert render("{{ now.year }} {{ (now - now).total_seconds() }} {{ 7 % 4 }} {{ 2 ** 10 }} {{ '-' * 3 }}") == (
        "2026 0.0 3 1024 ---"
    )
    assert render("{{ (now + days(1) + hours(2) + minutes(3)).isoformat() }}") == "2026-11-25T11:03:00-03:00"
    count = "{% set ns = namespace(n=0) %}{% for c in 'abc' %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}"
    assert render(count) == "3"


def test_a_loop_over_nothing_runs_no_turn_and_over_a_number_is_an_error(render: Render) -> None:
    assert render("{% for x in none %}x{% else %}none{% endfor %}") == "none"
    with pytest.raises(TemplateFailedError, match="a loop goes through a list, not a number"):
        render("{% for x in 3 %}{% endfor %}")
    with pytest.raises(TemplateFailedError, match='deal has no field "nope"'):
        render("{% for x in deal.nope %}{% endfor %}")


def test_an_unknown_filter_suggests_the_nearest(rendering: Rendering) -> None:
    with pytest.raises(TemplateSyntaxProblem, match=r'"upper"\?') as caught:
        rendering.text("\n{{ deal.name | uper }}")
    assert caught.value.line == 2
    with pytest.raises(TemplateSyntaxProblem, match="without a filter"):
        rendering.text("{{ deal.name | safe }}")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ deal.deal_stage.order.foo }}", 'a number has no "foo"'),
        ("{{ deal.user.name.foo }}", 'nothing has no "foo"'),
        ("{{ document.tags[7] }}", "the list has no item 7"),
        ("{{ deal.name.foo }}", 'a text has no "foo"'),
        ("{{ deal.name() }}", "a text cannot be called"),
        ("{{ 1 / 0 }}", "ZeroDivisionError: division by zero"),
        ("{{ deal.name + 1 }}", "`\\+` cannot join a text and a number; texts and numbers are joined by `~`"),
        ("{{ 1 + deal.name }}", "`\\+` cannot join a number and a text"),
        ("{{ deal.user + deal.name }}", "`\\+` cannot join an object and a text"),
        ("{{ deal.user.name < 1 }}", "`<` cannot compare nothing with a number"),
        ("{{ deal.name - 1 }}", "`-` does not work with a text and a number"),
        ("{{ deal.name * deal.name }}", "only numbers can be multiplied"),
        ("{{ deal.name ** 2 }}", "only numbers can be raised"),
        ("{{ 'x' if deal.nope }}", 'deal has no field "nope"'),
        ("{{ [1, 2].foo }}", "the list has no item foo"),
        ("{{ now[0] }}", 'a moment has no "0"'),
        ("{{ [deal] | groupby([deal]) }}", "an object has no field that is a list"),
        ("{% macro m(a) %}{{ a }}{% endmacro %}{{ m() }}", "parameter 'a' was not provided"),
        ("{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "takes not more than 1 argument"),
    ],
)
def test_errors_say_what_is_wrong(render: Render, source: str, message: str) -> None:
    with pytest.raises(TemplateFailedError, match=message.replace("(", r"\(")):
        render(source)
