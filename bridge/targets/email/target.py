"""The email target: one mail, through one session with an SMTP server."""

import asyncio
import ssl
from datetime import UTC, datetime
from functools import cached_property

from markupsafe import escape as in_html
from pydantic import ValidationError

from bridge.chart import drawn
from bridge.component import Http, Links, Target
from bridge.errors import PermanentFailure
from bridge.model import JsonObject, Link, Message, Receipt
from bridge.targets.email.address import inert, readable
from bridge.targets.email.composing import Stamp, body, letter, subject
from bridge.targets.email.options import EmailAction, EmailOptions
from bridge.targets.email.session import session


class Email(Target[EmailOptions, EmailAction]):
    """Sends mail through an SMTP server, one session for each.

    The first mail of a thread leaves a link with its Message-ID, to which later ones refer. A mail has the same
    Message-ID at every attempt; few servers look at it, so one whose outcome is unknown may come twice.
    """

    Options = EmailOptions
    Action = EmailAction
    escapes = {  # noqa: RUF012 (a ClassVar of the base)
        "recipients": inert,
        "cc": inert,
        "bcc": inert,
        "reply_to": inert,
        "subject": readable,
        "html": lambda data: str(in_html(data)),
        "headers": readable,
    }
    key_fields = frozenset({"thread"})

    @classmethod
    def filled_by(cls, file: str) -> str:
        """Return ``html`` for a file that is named so, else ``text``."""
        return "html" if ".html" in file.lower() else cls.main_field

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Send one mail."""
        action = self.action(message)
        self._check_domains(action)
        key = self.link_key(message)
        opener = await links.find(key) if key else None
        stamp = Stamp(self._message_id(message), datetime.now(UTC), opener.external_id if opener else None)
        picture = await drawn(action.chart) if action.chart else None
        mail = await asyncio.to_thread(letter, self.options, action, stamp, picture)
        async with session(self.options, self._trust) as opened:
            taken = await opened.hand_over(mail)
        begun = (Link(self.name, key, stamp.message_id),) if key and not opener else ()
        return Receipt(taken.code, taken.told, begun)

    def link_key(self, message: Message) -> str | None:
        """Return the key of the conversation, which the first mail leaves a link for."""
        return self.action(message).thread or None

    async def probe(self, http: Http) -> str:
        """Log in, and hang up again; raises as ``send``."""
        async with session(self.options, self._trust) as opened:
            await opened.client.noop()
        who = f"logs in as {self.options.username}" if self.options.username else "may send without a login"
        return f"{who} at {self.options.host}:{self.options.at_port}"

    def preview(self, content: JsonObject) -> str:
        """Return the mail as a client shows it: who gets it, the subject, the text."""
        try:
            action = EmailAction.model_validate(content)
        except ValidationError:
            return super().preview(content)
        people = {"To": action.to, "Cc": action.copied, "Bcc": action.blind}
        lines = [f"{name}: {', '.join(map(str, found))}" for name, found in people.items() if found]
        lines += [f"Not sent: {reason}" for reason in self._forbidden(action)]
        files = [f"Attached: {each.name}" for each in action.attachments]
        return "\n".join([*lines, f"Subject: {subject(action.subject)}", "", body(action).strip("\n"), *files])

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.options.ca_file)

    def _message_id(self, message: Message) -> str:
        """Return what is the same for each attempt."""
        return f"<{message.delivery_id}@{self.options.own_domain}>"

    def _forbidden(self, action: EmailAction) -> tuple[str, ...]:
        """Return a sentence for each recipient that the target may not write to."""
        allowed = self.options.allowed_domains
        return tuple(
            f"{each.address} is not in the domains that the target may write to"
            for each in action.everybody
            if allowed and each.domain.lower() not in allowed
        )

    def _check_domains(self, action: EmailAction) -> None:
        if forbidden := self._forbidden(action):
            raise PermanentFailure("; ".join(forbidden))
