"""Every shape of an error that the CRM's APIs are known to answer with, and what is told of it."""

from typing import Any

import pytest

from bridge.errors import (
    RemoteError,
    RemoteInvalidError,
    RemoteMissingError,
    RemoteRefusedError,
    RemoteUnavailableError,
)
from bridge.options import Secret
from bridge.rdstation.api.faults import fault_of
from bridge.rdstation.api.options import ApiOptions
from tests.rdstation.api.conftest import V1, V2, answer


@pytest.mark.parametrize(
    ("status", "body", "kind", "told"),
    [
        (401, {"error": "Permission denied."}, RemoteRefusedError, "(401: Permission denied.)"),
        (403, {"error": "forbidden"}, RemoteRefusedError, "(403: forbidden)"),
        (
            404,
            {"errors": {"error_type": "RESOURCE_NOT_FOUND", "error_message": "Not there."}},
            RemoteMissingError,
            "(404: Not there.)",
        ),
        (410, None, RemoteMissingError, "(410)"),
        (422, {"errors": {"url": ["is invalid"]}}, RemoteInvalidError, "(422: url: is invalid)"),
        (
            422,
            {"errors": {"url": [{"error_type": "INVALID", "error_message": "is invalid"}]}},
            RemoteInvalidError,
            "(422: url: is invalid)",
        ),
        (
            422,
            {"errors": [{"error_type": "TAKEN"}, {"error_type": "TAKEN"}, {"detail": "too long"}]},
            RemoteInvalidError,
            "(422: TAKEN; too long)",
        ),
        (400, {"errors": "Invalid page"}, RemoteInvalidError, "(400: Invalid page)"),
        (400, {"errors": {"limit": 7, "page": ["too high"]}}, RemoteInvalidError, "(400: page: too high)"),
        (400, b"Bad\n  request", RemoteInvalidError, "(400: Bad request)"),
        (400, b"x" * 1000, RemoteInvalidError, "x\u2026)"),
        (429, {"errors": {"error_type": "RATE_LIMIT_EXCEDDED"}}, RemoteUnavailableError, "(429: RATE_LIMIT_EXCEDDED)"),
        (500, b"<!DOCTYPE html><html>oops</html>", RemoteUnavailableError, "(500)"),
        (502, b"", RemoteUnavailableError, "(502)"),
    ],
)
def test_a_refusal_is_told_in_words(status: int, body: Any, kind: type[RemoteError], told: str) -> None:
    fault = fault_of(answer(status, body), V1)
    assert type(fault) is kind
    assert fault.status == status
    assert str(fault).endswith(told)


def test_an_answer_that_accepts_is_no_fault() -> None:
    assert fault_of(answer(204), V1) is None


def test_a_wait_that_is_asked_for_is_kept() -> None:
    fault = fault_of(answer(429, retry_after="30"), V2)
    assert isinstance(fault, RemoteUnavailableError)
    assert fault.retry_after == 30


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (V1, "copy it again from the profile"),
        (ApiOptions(token=Secret("eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl")), "is one of OAuth"),
        (V2, "not for RD Station Marketing"),
    ],
)
def test_a_401_tells_what_to_do_about_it(options: ApiOptions, told: str) -> None:
    assert told in str(fault_of(answer(401, {"error": "invalid_token"}), options))


def test_what_the_api_repeats_of_what_opens_it_is_not_told() -> None:
    options = ApiOptions(token=Secret("t0ken-of-a-person"))
    for body in b"no route for /deals?token=t0ken-of-a-person", {"error": "Bearer access-0f-2-hours"}:
        fault = fault_of(answer(422, body), options, Secret("access-0f-2-hours"))
        assert "***" in str(fault)
        assert "t0ken" not in str(fault)
        assert "access" not in str(fault)
