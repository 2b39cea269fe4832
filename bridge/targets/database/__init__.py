"""database: one row a key in a table of PostgreSQL, MySQL or SQLite, and a history that only grows."""

from bridge.targets.database.options import DatabaseAction, DatabaseOptions
from bridge.targets.database.target import Database

__all__ = ["Database", "DatabaseAction", "DatabaseOptions"]
