"""email: sends mail through an SMTP server."""

from bridge.targets.email.options import EmailAction, EmailOptions
from bridge.targets.email.target import Email

__all__ = ["Email", "EmailAction", "EmailOptions"]
