from typing import Any

import pytest
from pydantic import ValidationError

from bridge.rdstation.api.options import ApiOptions


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "give either `token`, or"),
        ({"token": "t", "client_id": "a", "client_secret": "b"}, "give either `token`, or"),
        ({"client_id": "a"}, "go together"),
        ({"client_secret": "a", "token": "t"}, "go together"),
        ({"token": "t", "url": "ftp://crm"}, "without a path"),
        ({"token": "t", "url": "https://crm.example/api/v1"}, "without a path"),
        ({"token": "t", "url": "crm"}, "without a path"),
    ],
)
def test_there_is_one_way_in(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        ApiOptions(**given)


def test_each_api_has_its_hosts() -> None:
    v1, v2 = (
        ApiOptions.model_validate({"token": "t"}),
        ApiOptions.model_validate({"client_id": "a", "client_secret": "b"}),
    )
    assert (v1.v2, v1.origin) == (False, "https://crm.rdstation.com")
    assert (v2.v2, v2.origin, v2.accounts) == (True, "https://api.rd.services", "https://accounts.rdstation.com")
    other = ApiOptions.model_validate({"client_id": "a", "client_secret": "b", "url": "http://127.0.0.1:9000/"})
    assert (other.origin, other.accounts) == ("http://127.0.0.1:9000", "http://127.0.0.1:9000")


def test_no_secret_is_printed() -> None:
    assert "hidden" not in repr(ApiOptions.model_validate({"token": "hidden"}))
    assert "hidden" not in repr(ApiOptions.model_validate({"client_id": "a", "client_secret": "hidden"}))
