"""discord: posts to a channel through a webhook, and keeps messages up to date."""

from bridge.targets.discord.options import DiscordAction, DiscordOptions
from bridge.targets.discord.target import Discord

__all__ = ["Discord", "DiscordAction", "DiscordOptions"]
