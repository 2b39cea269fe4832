"""Rehearsal: what the rules would make of events, found out before any comes. What `bridge check` does."""

from bridge.rehearsal.checking import Checked, check

__all__ = ["Checked", "check"]
