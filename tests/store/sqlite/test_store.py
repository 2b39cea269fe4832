"""The SQLite engine under the suite of all engines."""

from tests.contracts.store import StoreContract


class TestSqliteStore(StoreContract):
    """The fixtures are those of this folder."""
