"""Trello's contract: what a request, or an answer to it, breaks of the official OpenAPI document."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from jsonschema import Draft7Validator
from openapi_core.testing import MockRequest

from tests.support.contract_server import SPECS
from tests.support.openapi import Contract

KEY: Final = "keyhush0123456789abcdef"
TOKEN: Final = "ATTAhush0123456789abcdef"


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    body: Any

    @property
    def line(self) -> str:
        """The request without ids: ``PUT /cards/ID``."""
        return f"{self.method} {re.sub(r'[0-9a-f]{24}', 'ID', self.path)}"


def violations(asked: Asked, authorization: str) -> list[str]:
    """Return what a request breaks of Trello's contract."""
    found = [] if authorization == f'OAuth oauth_consumer_key="{KEY}", oauth_token="{TOKEN}"' else ["no key and token"]
    found += _contract().unknown_names(asked.method, asked.path, asked.query)
    found += [f"body: {error.json_path}: {error.message[:300]}" for error in _body_errors(asked)]
    found += _contract().request_violations(_as_specified(asked))
    return [f"{asked.line}: {each}" for each in found]


def reply_violations(asked: Asked, reply: Any) -> list[str]:
    """Return what an answer of the board breaks of the contract."""
    return [f"{asked.line}: {each}" for each in _contract().reply_violations(_as_specified(asked), reply)]


def body_violations(name: str, body: object) -> list[str]:
    """Return what the body of a card breaks of ``CreateCard`` or ``UpdateCard``."""
    return [f"{error.json_path}: {error.message[:300]}" for error in _card_body(name).iter_errors(body)]


def _body_errors(asked: Asked) -> Iterator[Any]:
    if (asked.method, asked.path) == ("POST", "/cards"):
        yield from _card_body("CreateCard").iter_errors(asked.body)
    elif asked.method == "PUT" and asked.path.count("/") == 2:
        yield from _card_body("UpdateCard").iter_errors(asked.body)


def _as_specified(asked: Asked) -> MockRequest:
    """Return a request as the contract has it: key and token in the query, and there what stands in the body of ours.

    What is cleared by nothing stands in the body alone.
    """
    spelt = {"key": KEY, "token": TOKEN, **asked.query}
    has_body = "customField/" in asked.path
    if isinstance(asked.body, dict) and not has_body:
        given = {name: value for name, value in asked.body.items() if value not in (None, "") or name == "color"}
        spelt |= {name: _as_query(value) for name, value in given.items()}
    data = json.dumps(asked.body).encode() if has_body else None
    return MockRequest("https://api.trello.com", asked.method.lower(), f"/1{asked.path}", args=spelt, data=data)


def _as_query(value: Any) -> Any:
    if isinstance(value, list):
        return value
    return json.dumps(value) if value is None or isinstance(value, bool | int | float) else value


@cache
def _contract() -> Contract:
    return Contract("trello/trello.openapi.json")


@cache
def _card_body(name: str) -> Draft7Validator:
    document = json.loads((SPECS / "trello" / "trello-card-body.schema.json").read_text("utf-8"))
    return Draft7Validator({"$ref": f"#/definitions/{name}", "definitions": document["definitions"]})
