"""What people should hear of: the facts about bridge itself that become operator events."""

from bridge import telemetry
from bridge.model import Delivery
from bridge.store.base import TargetChange


class Announcer:
    """Logs and counts what becomes of targets. One that also stores operator events takes its place in a daemon."""

    def target_changed(self, target: str, change: TargetChange) -> None:
        """Tell that an attempt paused a target, made it wait, or opened or closed its breaker."""
        telemetry.target_changed(target, change.kind, change.reason, change.seconds or None)

    def delivery_dead(self, delivery: Delivery, reason: str | None) -> None:
        """Tell that nobody will try a delivery again unless asked."""
