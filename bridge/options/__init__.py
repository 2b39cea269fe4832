"""Options as users write them: located problems, secrets that never print themselves, YAML that knows its lines."""

from bridge.options.problem import InvalidConfigurationError, Place, Problem
from bridge.options.secret import Secret, secrets_in

__all__ = ["InvalidConfigurationError", "Place", "Problem", "Secret", "secrets_in"]
