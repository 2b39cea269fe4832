"""What people do with targets: see how they are, hold them, and let them go."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from bridge.component import AnyTarget
from bridge.component.discovery import target_types
from bridge.control.host import Host
from bridge.control.shapes import Shape, moment
from bridge.errors import RequestRefusedError
from bridge.model import Breaker, Clock, DeliveryState, TargetState
from bridge.options import did_you_mean
from bridge.store.base import Store
from bridge.store.nouns import Backlog

UNTOLD = "no reason was given"
GONE = "it is not in the rules any more"
COUNTED = (DeliveryState.PENDING, DeliveryState.PARKED, DeliveryState.DELIVERING, DeliveryState.DEAD)


class Standing(StrEnum):
    """What may be sent to a target, in a word."""

    READY = "ready"
    WAITING = "waiting"
    PAUSED = "paused"
    OPEN = "open"
    HALF_OPEN = "half_open"
    GONE = "gone"


class Holding:
    """Pauses and resumes targets, and tells what may be sent to which."""

    def __init__(self, store: Store, host: Host, clock: Clock) -> None:
        """Take the store, and the rules that name the targets."""
        self._store = store
        self._host = host
        self._clock = clock

    async def targets(self) -> list[Shape]:
        """Return those of the rules in their order, then others for which something waits or that are paused."""
        named = self._named()  # once: a reload may change what is named while the store answers
        states, backlog = await self._known(named)
        others = [name for name in sorted(states) if name not in named and self._matters(states[name], backlog)]
        return [self._shape(states[name], backlog) for name in (*named, *others)]

    async def pause(self, target: str, reason: str | None) -> Shape:
        """Hold a target until it is resumed; return whether that changed anything, and how it is now.

        Raises:
            RequestRefusedError: neither the rules nor the store know such a target (``unknown-target``).
        """
        await self._must_be_known(target)
        why = reason or UNTOLD
        changed = await self._store.pause(target, why)
        if changed:
            self._host.hold(target)
            self._host.announce(target, "pause", why)
        return await self._answer(target, changed=changed)

    async def resume(self, target: str) -> Shape:
        """Let a target go, whatever held or delayed it but the rules; answers and raises as ``pause``."""
        await self._must_be_known(target)
        changed = await self._store.resume(target)
        if changed:
            self._host.announce(target, "resume", None)
            self._host.ring([target])
        return await self._answer(target, changed=changed)

    async def _answer(self, target: str, *, changed: bool) -> Shape:
        states, backlog = await self._known([target])
        return {"changed": changed, "target": self._shape(states[target], backlog)}

    async def _must_be_known(self, target: str) -> None:
        states, _ = await self._known(self._named())
        if target not in states:
            hint = did_you_mean(target, states)
            raise RequestRefusedError(f'there is no target "{target}"; {hint}'.rstrip("; "), "unknown-target")

    async def _known(self, named: Iterable[str]) -> tuple[Mapping[str, TargetState], Backlog]:
        """Return the state of every target that is named, of the store, and of what waits or is dead."""
        backlog = await self._store.backlog()
        names = {*named, *(target for target, _ in backlog.deliveries)}
        states = {name: TargetState(name) for name in sorted(names)}
        return states | {state.name: state for state in await self._store.targets()}, backlog

    def _named(self) -> Mapping[str, AnyTarget]:
        rules = self._host.current()
        return rules.targets if rules else {}

    def _matters(self, state: TargetState, backlog: Backlog) -> bool:
        """Tell whether a target that the rules do not name is worth showing; without rules, the store knows which."""
        waits = any(target == state.name for target, _ in backlog.deliveries)
        return waits or state.paused_by is not None or (state.present and self._host.current() is None)

    def _shape(self, state: TargetState, backlog: Backlog) -> Shape:
        target = self._named().get(state.name)
        return target_shape(state, target, backlog, self._clock.now())


async def held_among(store: Store, targets: Iterable[str]) -> list[str]:
    """Return which of these targets are held, by name."""
    wanted = set(targets)
    return [state.name for state in await store.targets() if state.held and state.name in wanted] if wanted else []


def target_shape(state: TargetState, target: AnyTarget | None, backlog: Backlog, now: datetime) -> Shape:
    """Return a target with its limits, what may be sent to it and why not, and how much waits for it.

    ``state`` is a ``Standing``: ``waiting`` because the service asked for time, ``open`` as its breaker is, ``gone``
    from the rules. ``until`` is when the next one may go, where that is known.
    """
    told, until = _standing(state, now)
    return {
        "name": state.name,
        "type": _type_of(target) if target else None,
        "state": told,
        "held": state.held,
        "paused_by": state.paused_by,
        "reason": GONE if told is Standing.GONE else state.reason,
        "since": moment(state.since),
        "until": moment(until),
        "concurrency": target.limits.concurrency if target else None,
        "rate": str(target.limits.rate) if target and target.limits.rate else None,
        "deliveries": {each.value: backlog.deliveries.get((state.name, each), 0) for each in COUNTED},
    }


def _standing(state: TargetState, now: datetime) -> tuple[Standing, datetime | None]:
    if not state.present:
        return Standing.GONE, None
    if state.paused_by:
        return Standing.PAUSED, None
    if state.breaker is Breaker.OPEN:
        return Standing.OPEN, state.retry_at
    if state.breaker is Breaker.HALF_OPEN:
        return Standing.HALF_OPEN, None
    if state.wait_until and state.wait_until > now:
        return Standing.WAITING, state.wait_until
    return Standing.READY, None


def _type_of(target: AnyTarget) -> str:
    return target_types().name_of(target)
