"""asana: one task for each key, made when it is first told of and kept up to date."""

from bridge.targets.asana.options import AsanaAction, AsanaOptions
from bridge.targets.asana.target import Asana

__all__ = ["Asana", "AsanaAction", "AsanaOptions"]
