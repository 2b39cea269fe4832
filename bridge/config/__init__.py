"""routes.yaml: from what users write to a ruleset, or to every problem at once."""

from bridge.config.loading import Loaded, load

__all__ = ["Loaded", "load"]
