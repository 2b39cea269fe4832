import json
from ipaddress import ip_network

import pytest
from pydantic import BaseModel, ValidationError

from bridge.options import Secret
from bridge.options.secret import secrets_in


class Holder(BaseModel):
    token: Secret


def test_a_secret_prints_as_stars_wherever_it_may_slip_out() -> None:
    holder = Holder.model_validate({"token": "s3cret"})
    for shown in (str(holder), repr(holder), f"{holder.token}", holder.model_dump_json(), str(holder.model_dump())):
        assert "s3cret" not in shown
    assert json.loads(holder.model_dump_json()) == {"token": "***"}
    assert holder.token.reveal() == "s3cret"


def test_an_empty_secret_is_none() -> None:
    with pytest.raises(ValidationError):
        Holder.model_validate({"token": ""})
    assert not Secret("")


def test_secrets_of_one_value_are_equal() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


class Nested(BaseModel):
    holders: dict[str, list[Holder]]
    other: int = 3


class Making(BaseModel):
    token: Secret

    def made_secrets(self) -> tuple[str, ...]:
        return (f"made of {self.token.reveal()}",)


def test_what_a_model_makes_of_its_secrets_is_one_too() -> None:
    assert list(secrets_in([Making.model_validate({"token": "s1"})])) == ["s1", "made of s1"]


def test_every_secret_inside_a_model_is_found() -> None:
    nested = Nested.model_validate({"holders": {"a": [{"token": "s1"}, {"token": "s2"}], "b": []}})
    assert list(secrets_in(nested)) == ["s1", "s2"]
    assert list(secrets_in("plain")) == []


def test_what_is_no_collection_is_not_walked_through() -> None:
    assert list(secrets_in((ip_network("fd00::/8"), [Secret("s1")], {Secret("s2")}))) == ["s1", "s2"]
