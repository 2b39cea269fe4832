"""Options as users write them: located problems, secrets that never print themselves, YAML that knows its lines."""

from bridge.options.interpolation import (
    Interpolation,
    Loc,
    Report,
    StandIns,
    interpolate,
    is_stand_in,
    variables_in,
)
from bridge.options.problem import InvalidConfigurationError, Place, Problem
from bridge.options.redaction import STARS, Redactor
from bridge.options.secret import Secret, secrets_in
from bridge.options.suggestion import did_you_mean, nearest
from bridge.options.yaml import Located, read_yaml

__all__ = [
    "STARS",
    "Interpolation",
    "InvalidConfigurationError",
    "Loc",
    "Located",
    "Place",
    "Problem",
    "Redactor",
    "Report",
    "Secret",
    "StandIns",
    "did_you_mean",
    "interpolate",
    "is_stand_in",
    "nearest",
    "read_yaml",
    "secrets_in",
    "variables_in",
]
