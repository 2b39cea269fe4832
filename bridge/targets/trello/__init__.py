"""trello: one card for each key, made when it is first told of and kept up to date."""

from bridge.targets.trello.options import TrelloAction, TrelloOptions
from bridge.targets.trello.target import Trello

__all__ = ["Trello", "TrelloAction", "TrelloOptions"]
