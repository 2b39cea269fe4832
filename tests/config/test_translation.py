from datetime import timedelta
from ipaddress import IPv4Address
from typing import Literal, Self

import pytest
from pydantic import Field, JsonValue, field_validator, model_validator

from bridge.component.base import Strict
from bridge.config.naming import describe
from bridge.config.translation import validated
from bridge.options import Secret


class Bearer(Strict):
    bearer: Secret


class Basic(Strict):
    user: str
    password: Secret


class Alpha(Strict):
    alpha: int


class Omega(Strict):
    omega: int


class Options(Strict):
    auth: Bearer | Basic | None = None
    either: Alpha | Omega | None = None
    one_or_more: str | list[str] = ""
    count: int | None = Field(default=None, gt=0, lt=10)
    ratio: float = Field(default=1, ge=0.5, le=2.5)
    size: int | Literal["auto"] = 1
    numbers: dict[str, int] = Field(default_factory=dict)
    mode: Literal["fast", "slow"] = "fast"
    secret: Secret | None = None
    flag: bool = False
    short: str = Field(default="xx", min_length=2, max_length=3, pattern="^x")
    some: tuple[int, ...] = Field(default=(1,), min_length=1, max_length=2)
    address: IPv4Address | None = None
    wait: timedelta = timedelta(0)
    aliased: int = Field(default=1, alias="as")
    even: int = 2
    body: JsonValue = None

    @field_validator("even")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("must be even")
        return value

    @model_validator(mode="after")
    def _agreement(self) -> Self:
        if self.flag and self.mode == "slow":
            raise ValueError('"flag" makes no sense with a slow "mode"')
        return self


KNOWN = (
    "address, as, auth, body, count, either, even, flag, mode, numbers, one_or_more, "
    "ratio, secret, short, size, some, wait"
)
SALES = ' of target "sales"'
QUOTES = "; write it in quotes"


def told(data: object) -> list[str]:
    """Return place, code, message and hint of every defect."""
    _, defects = validated(Options, data, lambda loc: describe(None, ("targets", "sales", *loc)))
    return [
        f"{'.'.join(map(str, defect.loc))}: {defect.code}: {defect.message}"
        + (f"; {defect.hint}" if defect.hint else "")
        for defect in defects
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([], ': wrong-type: target "sales" must be a mapping of keys to values, not a list'),
        ({"cuont": 1}, 'cuont: unknown-key: target "sales" has no key "cuont"; did you mean "count"?'),
        ({"aliased": 1}, f'aliased: unknown-key: target "sales" has no key "aliased"; known: {KNOWN}'),
        ({"count": "many"}, f'count: wrong-type: "count"{SALES} must be a whole number, not a text'),
        ({"count": 1.5}, f'count: wrong-type: "count"{SALES} must be a whole number, not a number'),
        ({"count": 0}, f'count: bad-value: "count"{SALES} must be more than 0'),
        ({"count": 10}, f'count: bad-value: "count"{SALES} must be less than 10'),
        ({"ratio": 0}, f'ratio: bad-value: "ratio"{SALES} must be at least 0.5'),
        ({"ratio": 3}, f'ratio: bad-value: "ratio"{SALES} must be at most 2.5'),
        ({"ratio": None}, f'ratio: wrong-type: "ratio"{SALES} must be a number, and is empty'),
        ({"as": {}}, f'as: wrong-type: "as"{SALES} must be a whole number, not a mapping'),
        ({"flag": []}, f'flag: wrong-type: "flag"{SALES} must be true or false, not a list'),
        ({"mode": "fsat"}, f'mode: bad-value: "mode"{SALES} must be "fast" or "slow"; did you mean "fast"?'),
        ({"mode": 1}, f'mode: bad-value: "mode"{SALES} must be "fast" or "slow"'),
        ({"size": "autom"}, f'size: bad-value: "size"{SALES} must be "auto"; did you mean "auto"?'),
        (
            {"secret": 3},
            f'secret: wrong-type: "secret"{SALES} must be a text, not a number; write it in quotes',
        ),
        ({"secret": ""}, f'secret: bad-value: "secret"{SALES} must not be empty'),
        ({"short": "x"}, f'short: bad-value: "short"{SALES} must have at least 2 characters'),
        ({"short": "xxxx"}, f'short: bad-value: "short"{SALES} must have at most 3 characters'),
        ({"short": "yy"}, f'short: bad-value: "short"{SALES} must match the pattern ^x'),
        ({"some": []}, f'some: bad-value: "some"{SALES} must not be empty'),
        ({"some": [1, 2, 3]}, f'some: bad-value: "some"{SALES} takes at most 2 items'),
        (
            {"some": [1, "b"]},
            f'some.1: wrong-type: item 2 of "some"{SALES} must be a whole number, not a text',
        ),
        (
            {"wait": "x"},
            f'wait: bad-value: "wait"{SALES}: input should be a valid timedelta, invalid digit in duration',
        ),
        ({"wait": []}, f'wait: bad-value: "wait"{SALES}: input should be a valid timedelta'),
        ({"even": 3}, f'even: bad-value: "even"{SALES} must be even'),
        ({"address": "x"}, f'address: bad-value: "address"{SALES}: input is not a valid IPv4 address'),
        (
            {"numbers": {"a": "x"}},
            f'numbers.a: wrong-type: "a" of "numbers"{SALES} must be a whole number, not a text',
        ),
        (
            {"flag": True, "mode": "slow"},
            ': bad-value: target "sales": "flag" makes no sense with a slow "mode"',
        ),
    ],
)
def test_one_mistake_is_one_defect_in_words(data: object, expected: str) -> None:
    assert told(data) == [expected]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            {"one_or_more": 3},
            f'one_or_more: wrong-type: "one_or_more"{SALES} must be a text or a list, not a number; write it in quotes',
        ),
        (
            {"one_or_more": ["a", 3]},
            f'one_or_more.1: wrong-type: item 2 of "one_or_more"{SALES} must be a text, not a number{QUOTES}',
        ),
        ({"auth": 3}, f'auth: wrong-type: "auth"{SALES} must be a mapping of keys to values, not a number'),
        (
            {"auth": {"bearr": "x"}},
            f'auth.bearr: unknown-key: "auth"{SALES} has no key "bearr"; did you mean "bearer"?',
        ),
        ({"auth": {"user": "x"}}, f'auth.password: missing-key: "auth"{SALES} needs the key "password"'),
        (
            {"auth": {"user": 1, "password": "x"}},
            f'auth.user: wrong-type: "user" of "auth"{SALES} must be a text, not a number; write it in quotes',
        ),
        (
            {"auth": {"user": "x", "pasword": "y"}},
            f'auth.pasword: unknown-key: "auth"{SALES} has no key "pasword"; did you mean "password"?',
        ),
        ({"either": {"zzz": 1}}, f'either.zzz: unknown-key: "either"{SALES} has no key "zzz"; known: alpha, omega'),
        ({"either": {}}, f'either.alpha: missing-key: "either"{SALES} needs one of "alpha", "omega"'),
    ],
)
def test_of_a_union_only_the_member_that_was_meant_complains(data: object, expected: str) -> None:
    assert told(data) == [expected]


def test_several_mistakes_are_all_told() -> None:
    assert len(told({"count": 0, "mode": "x", "nope": 1, "auth": {"user": 1}})) == 5


def test_sound_data_becomes_the_model() -> None:
    model, defects = validated(Options, {"count": "5", "auth": {"bearer": "x"}, "body": {"a": [1]}}, str)
    assert not defects
    assert model is not None
    assert (model.count, model.auth) == (5, Bearer(bearer=Secret("x")))
