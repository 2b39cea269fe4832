"""teams: posts cards to a channel or a chat of Microsoft Teams, through a workflow."""

from bridge.targets.teams.options import TeamsAction, TeamsOptions
from bridge.targets.teams.target import Teams

__all__ = ["Teams", "TeamsAction", "TeamsOptions"]
