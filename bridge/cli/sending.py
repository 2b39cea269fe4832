"""Posting a webhook as the CRM does, and following what becomes of it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp

from bridge.control.shapes import Shape
from bridge.errors import DaemonUnreachableError
from bridge.model import Json

PATIENCE = 5.0
"""Seconds the CRM waits for an answer."""
POLL = 0.05
UNFINISHED = frozenset({"pending", "delivering"})


async def post(address: str, body: Json, headers: Mapping[str, str], *, verify: bool = True) -> tuple[int, Any]:
    """Post a body with these headers; return the status and the answer, as JSON if it is that.

    Without ``verify`` any certificate will do: the daemon's is made out to its public name, not to this machine.

    Raises:
        DaemonUnreachableError: nobody answered in time. The address, which holds a secret, is not in the message.
    """
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    data, headers = json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(address, data=data, headers=headers, allow_redirects=False, ssl=verify) as answer,
        ):
            return answer.status, _parsed(await answer.text())
    except aiohttp.InvalidURL:
        raise DaemonUnreachableError("the address to post to is no URL") from None
    except (aiohttp.ClientError, OSError) as error:
        raise DaemonUnreachableError(f"nobody answered within {PATIENCE:g} s: {type(error).__name__}") from None


async def follow(detail: Callable[[], Awaitable[Shape]], seconds: float) -> Shape:
    """Ask for an event until it is decided and its deliveries have had their first attempt, or the time is over."""
    end = asyncio.get_running_loop().time() + seconds
    event = await detail()
    while not _settled(event) and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(POLL)
        event = await detail()
    return event


def _settled(event: Shape) -> bool:
    return event["state"] != "received" and all(
        delivery["state"] not in UNFINISHED or delivery["attempts"] for delivery in event["deliveries"]
    )


def _parsed(text: str) -> Any:  # noqa: ANN401 (whatever was answered)
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
