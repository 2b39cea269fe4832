"""The facts of the daemon itself: its rules, its store, its room, its log."""

from collections.abc import Sequence

import structlog

from bridge.options import Problem
from bridge.telemetry import metrics

_log = structlog.get_logger("bridge")


def ruleset_loaded(
    revision: str, routes: Sequence[str], warnings: Sequence[Problem], changes: Sequence[str] = ()
) -> None:
    """Rules came into force; ``changes`` are what differs from those before, a line each."""
    metrics.RELOADS.labels("loaded").inc()
    metrics.REFUSED.set(0)
    metrics.REVISION.clear()
    metrics.REVISION.labels(revision).set(1)
    _log.info("rules loaded", revision=revision, routes=list(routes))
    for change in changes:
        _log.info("rules changed", change=change)
    for problem in warnings:
        _log.warning("rules warning", problem=str(problem))


def ruleset_refused(problems: Sequence[Problem | Exception]) -> None:
    """Changed rules are broken; those in force stay."""
    metrics.RELOADS.labels("refused").inc()
    metrics.REFUSED.set(1)
    _log.error("rules refused", problems=[str(problem) for problem in problems])


def loading_failed(error: Exception) -> None:
    """Loading rules hit a defect; they are refused, and those in force stay."""
    metrics.DEFECTS.labels("loading").inc()
    _log.error("loading failed", exc_info=error)


def watch_failed(folder: str, error: Exception) -> None:
    """A folder cannot be watched; changes are found by comparing content every few seconds."""
    _log.warning("watch failed", folder=folder, reason=str(error))


def store_unavailable(error: Exception, *, again: bool = False) -> None:
    """The store could not be written just now; nothing was lost by it. What is tried ``again`` is told no more."""
    metrics.STORE_FAILURES.inc()
    if not again:
        _log.error("store unavailable", reason=str(error))


def connections_full(count: int) -> None:
    """So many connections are open that more are answered 503, until there are clearly fewer."""
    _log.error("connections full", count=count)


def no_files_left() -> None:
    """No connection can be accepted just now, for too many files are open."""
    _log.error("no files left")


def log_lines_lost(count: int) -> None:
    """Lines were not printed, because nobody read the log; by now there is room again."""
    metrics.LINES_LOST.inc(count)
    _log.error("log lines lost", count=count)


def space_seen(size: int, free: int) -> None:
    """The store and its disk were measured, for ``/metrics``."""
    metrics.STORE_BYTES.set(size)
    metrics.DISK_FREE.set(free)


def room_ended(limit: str, reason: str) -> None:
    """A limit is reached: webhooks are answered 503 until there is room again."""
    metrics.NO_ROOM.labels(limit).set(1)
    _log.error("no room", limit=limit, reason=reason)


def room_again(limit: str) -> None:
    """A limit that was reached is so no more."""
    metrics.NO_ROOM.labels(limit).set(0)
    _log.info("room again", limit=limit)


def pruned(events: int, deliveries: int, bodies: int) -> None:
    """Retention let go of what was kept for long enough."""
    counts = {"events": events, "deliveries": deliveries, "bodies": bodies}
    for what, count in counts.items():
        metrics.PRUNED.labels(what).inc(count)
    if any(counts.values()):
        _log.info("pruned", **counts)


def certificate_loaded() -> None:
    """A new certificate serves new connections."""
    _log.info("certificate loaded")


def certificate_refused(error: Exception) -> None:
    """Renewed certificate files cannot be used; the former certificate stays."""
    _log.error("certificate refused", reason=str(error))


def strange_setting(sentence: str) -> None:
    """A variable looks like a setting and is none."""
    _log.warning("strange setting", problem=sentence)


def daemon_started(url: str, revision: str) -> None:
    """The daemon takes webhooks."""
    _log.info("started", url=url, revision=revision)


def daemon_stopping() -> None:
    """The daemon was told to stop, and finishes what it has begun."""
    _log.info("stopping")


def daemon_stopped() -> None:
    """The daemon has finished."""
    _log.info("stopped")
