"""Targets asked whether their services would take messages, before there are any. Nothing is sent to anybody."""

import asyncio
from collections.abc import Iterable
from typing import Final, NamedTuple

from bridge.component import AnyTarget, Http
from bridge.config.problems import Problems
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, legible
from bridge.options import Problem

REFUSED: Final = "target-refused"
UNREACHABLE: Final = "target-unreachable"
MUTE: Final = "cannot be asked without sending something"


class Answered(NamedTuple):
    """What the service of a target or the API of a source answered.

    ``found`` is None where it is a problem, or it cannot be asked.
    """

    name: str
    found: str | None
    problem: Problem | None = None

    def __str__(self) -> str:
        """Return its name with what is known of it."""
        return f"{self.name}: {self.problem.message if self.problem else self.found or MUTE}"


async def ask(targets: Iterable[AnyTarget], http: Http, problems: Problems) -> list[Answered]:
    """Ask all targets at once, each no longer than an attempt may take; ``problems`` knows where they stand."""
    return await asyncio.gather(*(_asked(target, http, problems) for target in targets))


async def _asked(target: AnyTarget, http: Http, problems: Problems) -> Answered:
    try:
        async with asyncio.timeout(target.options.timeout):
            found = await target.probe(http)
    except TimeoutError:
        reason, code = f"no complete answer within {target.options.timeout:g} s", UNREACHABLE
    except DeliveryFailure as failure:
        reason = f"{failure.reason}: {failure.excerpt}" if failure.excerpt else failure.reason
        code = REFUSED if isinstance(failure, AccessRefused | PermanentFailure) else UNREACHABLE
    except Exception as error:  # noqa: BLE001 (a target's own defect says nothing of the others)
        reason, code = f"asking it failed: {type(error).__name__}", UNREACHABLE
    else:
        return Answered(target.name, found and target.redactor.redacted(found))
    message = f'target "{target.name}": {_told(target.redactor.redacted(reason))}'
    return Answered(target.name, None, Problem(problems.located.key(("targets", target.name)), code, message))


def _told(reason: str) -> str:
    """Return what a service said, in one line that is not too long."""
    return legible(" ".join(reason.split()))
