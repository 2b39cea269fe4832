"""Options as users write them: located problems, secrets that never print themselves, YAML that knows its lines."""

from bridge.options.problem import InvalidConfigurationError, Place, Problem
from bridge.options.secret import Secret

__all__ = ["InvalidConfigurationError", "Place", "Problem", "Secret"]
