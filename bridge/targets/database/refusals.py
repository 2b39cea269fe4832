"""What the errors of a database mean for a delivery, by their SQLSTATE, or by the numbers of MySQL and SQLite.

https://www.postgresql.org/docs/current/errcodes-appendix.html,
https://dev.mysql.com/doc/mysql-errors/en/server-error-reference.html, https://www.sqlite.org/rescode.html
"""

import os
import socket
import ssl
from collections.abc import Iterator
from typing import Final

from sqlalchemy.exc import DBAPIError

from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome

LATER: Final = ("08", "40001", "40P01", "53", "55P03", "57P01", "57P02", "57P03")
"""No connection, a conflict between transactions, no room, a lock, a server that starts or stops."""
NOT_US: Final = ("28", "3D", "42501")
"""No login, no such database, no right."""
MYSQL_LATER: Final = frozenset({1040, 1053, 1158, 1159, 1160, 1161, 1203, 1205, 1206, 1213, 1226, 1290, 1792, 3572})
MYSQL_NOT_US: Final = frozenset({1044, 1045, 1049, 1130, 1142, 1143, 1227, 1251, 1396, 1698, 3118, 3159, 4151})
MYSQL_CLIENT: Final = range(2000, 3000)
"""Numbers of the client's own: there is no connection any more."""
SQLITE_LATER: Final = frozenset({5, 6, 9, 10, 13})
"""Busy, locked, interrupted, a disk that fails or is full."""
SQLITE_NOT_US: Final = frozenset({3, 8, 11, 14, 23, 26})
"""No right, read-only, damaged, not to be opened, not allowed, no database."""
SQLITE_PRIMARY: Final = 0xFF
"""The part of a code of SQLite that tells its class."""
UNENCRYPTED: Final = "rejected SSL"
"""What asyncpg says of a server that has no TLS: it is told by its words alone."""
LOST: Final = "the connection was lost"


def sorted_failure(error: BaseException, *, left: bool) -> DeliveryFailure:
    """Return what an error means; ``left`` says that the end of the transaction was on its way."""
    chain = tuple(_behind(error))
    if any(isinstance(each, ConnectionError) and UNENCRYPTED in str(each) for each in chain):
        return AccessRefused('the server cannot encrypt: write "tls: off" if its network is to be trusted')
    failure = next(filter(None, map(_told, chain)), None)
    if failure is None or (left and isinstance(failure, TransientFailure) and _lost(chain)):
        reason = next(filter(None, map(_word, chain)), LOST)
        return UnknownOutcome(f"no answer to the commit: {reason}") if left else TransientFailure(reason)
    return failure


def _told(error: BaseException) -> DeliveryFailure | None:
    """Return what the database itself said; None if this is not its word."""
    number = error.args[0] if error.args else None
    if type(error).__module__.startswith("asyncmy") and isinstance(number, int):
        return _of_mysql(number, str(error.args[-1]))
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str) and state:
        return _failure(state, _first_line(error), later=state.startswith(LATER), not_us=state.startswith(NOT_US))
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(code, int):
        primary = code & SQLITE_PRIMARY
        name = getattr(error, "sqlite_errorname", str(code))
        return _failure(name, _first_line(error), later=primary in SQLITE_LATER, not_us=primary in SQLITE_NOT_US)
    return None


def _of_mysql(number: int, said: str) -> DeliveryFailure | None:
    if number in MYSQL_CLIENT or number == 0:
        return None
    return _failure(str(number), said, later=number in MYSQL_LATER, not_us=number in MYSQL_NOT_US)


def _failure(code: str, said: str, *, later: bool, not_us: bool) -> DeliveryFailure:
    reason = f"the database refused it: {said} ({code})"
    if later:
        return TransientFailure(reason)
    return AccessRefused(reason) if not_us else PermanentFailure(reason)


def _lost(chain: tuple[BaseException, ...]) -> bool:
    """Tell whether the connection broke: then nobody knows what became of a commit."""
    return any(isinstance(each, DBAPIError) and each.connection_invalidated for each in chain) or any(
        str(getattr(each, "sqlstate", "") or "").startswith(("08", "57")) for each in chain
    )


def _word(error: BaseException) -> str | None:
    """Return in words why there is no connection."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of the host is not trusted: {error.verify_message}"
    reasons: dict[type[BaseException], str] = {
        ssl.SSLError: 'no TLS connection could be agreed on; see "tls"',
        socket.gaierror: "the name of the host could not be resolved",
        TimeoutError: "no answer in time",
    }
    found = next((words for kind, words in reasons.items() if isinstance(error, kind)), None)
    system = isinstance(error, OSError) and error.errno and f"no connection: {os.strerror(error.errno)}"
    return found or system or None


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]


def _behind(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it comes from, the first cause first: what drivers say is wrapped several times."""
    inner = (getattr(error, "orig", None), error.__cause__, error.__context__)
    cause = next((each for each in inner if isinstance(each, BaseException)), None)
    if cause is not None:
        yield from _behind(cause)
    yield error
