"""telegram: a bot's messages to a chat, a group or a channel, which are kept up to date."""

from bridge.targets.telegram.options import TelegramAction, TelegramOptions
from bridge.targets.telegram.target import Telegram

__all__ = ["Telegram", "TelegramAction", "TelegramOptions"]
