"""caldav: one event or to-do a key in a calendar of any CalDAV server, made, changed, cancelled and brought back."""

from bridge.targets.caldav.options import CaldavAction, CaldavOptions
from bridge.targets.caldav.target import Caldav

__all__ = ["Caldav", "CaldavAction", "CaldavOptions"]
