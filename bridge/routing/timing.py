"""When a message is told that is not told at once: after calm, after a while, or together with others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from bridge.model import Change, Deferral
from bridge.routing.route import Context, Text, Until
from bridge.routing.window import Window

PATIENCE = 10
"""How many times its calm a change is held at most, when it never gets calm."""
TURNS = 1000
"""Times that a window opens and a digest's next turn misses it, after which none is thought to come."""
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Debounce:
    """Tells of a change once nothing has matched for a while: of all that happened since, as one change."""

    calm: timedelta

    def defer(self, change: Change, context: Context, now: datetime) -> Until:
        """Return until when to wait."""
        return Until(now + self.calm, Deferral("debounce", before=change.previous, latest=now + PATIENCE * self.calm))


@dataclass(frozen=True, slots=True)
class Delay:
    """Tells of a change after a while, as things stand by then."""

    span: timedelta

    def defer(self, change: Change, context: Context, now: datetime) -> Until:
        """Return until when to wait."""
        return Until(now + self.span, Deferral("delay", before=change.previous))


@dataclass(frozen=True, slots=True)
class Digest:
    """Tells of all that matched since the last turn, in one message for each group."""

    turns: Sequence[str]
    """Cron expressions of five fields."""
    zone: ZoneInfo
    window: Window | None = None
    by: Text | None = None
    empty: bool = False
    """Whether it is told, once it has been, where nothing happened as well."""

    def defer(self, change: Change, context: Context, now: datetime) -> Until:
        """Return the next turn and the group; raises RenderError if ``by`` fails."""
        group = self.by.render(context).strip() if self.by else ""
        turn = self.next(now) or now
        return Until(turn, Deferral("digest", group, before=change.previous, latest=turn))

    def follows(self, earlier: datetime, turn: datetime) -> bool:
        """Tell whether no other turn lies between an earlier one and this."""
        following = self.next(earlier)
        return following is None or following >= turn

    def next(self, now: datetime) -> datetime | None:
        """Return the first turn after a moment that lies within the window; None if none does."""
        found = [turn for expression in self.turns if (turn := self._next(expression, now))]
        return min(found, default=None)

    def _next(self, expression: str, now: datetime) -> datetime | None:
        """Return the first turn of one expression; those before the window opens are not looked through one by one."""
        after: datetime | None = now
        for _ in range(TURNS):
            turn = after and next(CronSim(expression, after.astimezone(self.zone)), None)
            if turn is None or self.window is None or self.window.holds(turn):
                return turn and turn.astimezone(UTC)
            opening = self.window.opening(turn)
            after = opening and opening - _MINUTE
        return None
