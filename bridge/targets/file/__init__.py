"""file: lines of NDJSON or CSV, appended to files that others load."""

from bridge.targets.file.options import FileAction, FileOptions
from bridge.targets.file.target import File

__all__ = ["File", "FileAction", "FileOptions"]
