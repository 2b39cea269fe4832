"""routes.yaml: from what users write to a ruleset, or to every problem at once."""

from bridge.config.loading import Loaded, load
from bridge.config.trials import Trial, read_trials, trials_beside

__all__ = ["Loaded", "Trial", "load", "read_trials", "trials_beside"]
