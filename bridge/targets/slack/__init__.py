"""slack: posts messages, in threads if the target has a bot token."""

from bridge.targets.slack.options import SlackAction, SlackOptions
from bridge.targets.slack.target import Slack

__all__ = ["Slack", "SlackAction", "SlackOptions"]
