"""routes.yaml: from what users write to a ruleset, or to every problem at once."""

from bridge.config.loading import Loaded, load
from bridge.config.schema import json_schema

__all__ = ["Loaded", "json_schema", "load"]
