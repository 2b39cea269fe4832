"""One mail: headers, text, HTML and what goes along, as `email` of the standard library writes them."""

import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address, UnstructuredHeader
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import EmailPolicy, default
from email.utils import format_datetime
from html import escape
from typing import Any, Final

from bridge.chart import described, lines
from bridge.targets.email.address import Mailbox, mailbox, readable
from bridge.targets.email.options import LONGEST_HEADER, Attachment, EmailAction, EmailOptions


class _OnTheWire(EmailPolicy):
    """Writes mails as servers want them, and texts of headers with the older of `email`'s two encoders.

    The newer one loses spaces where it breaks a text that is not ASCII into lines.
    """

    def fold_binary(self, name: str, value: Any) -> bytes:  # noqa: ANN401 (a header of whatever kind)
        """Return a header as it goes out."""
        if not isinstance(value, UnstructuredHeader) or str(value).isascii():
            return super().fold_binary(name, value)
        encoded = Header(str(value), "utf-8", header_name=name).encode(linesep=self.linesep)
        return f"{name}: {encoded}{self.linesep}".encode("ascii")


ASCII: Final = _OnTheWire(linesep="\r\n", cte_type="7bit")
"""What every server takes."""
INTERNATIONAL: Final = ASCII.clone(utf8=True)
"""Headers in UTF-8, for addresses that ASCII cannot write (RFC 6531)."""
PICTURE: Final = "chart@bridge"
"""The Content-ID of the chart."""
MOST_SUBJECT: Final = 250
"""Characters; mail clients show fewer."""
ELLIPSIS: Final = "…"


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that is ready to go: its envelope, and its bytes with the lines ended as on the wire."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    international: bool


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a mail bears beside what its rule says: its id, its time, and the first mail of its conversation."""

    message_id: str
    at: datetime
    opener: str | None = None


def letter(options: EmailOptions, action: EmailAction, stamp: Stamp, picture: bytes | None) -> Letter:
    """Return the mail of an action; ``picture`` is its chart as PNG."""
    sender = mailbox(options.sender)
    answers = mailbox(written) if (written := action.reply_to or options.reply_to) else None
    everybody = action.everybody
    international = any(each.international for each in (sender, *everybody, *([answers] if answers else [])))
    mail = EmailMessage(policy=INTERNATIONAL if international else ASCII)
    _address(mail, "From", [sender])
    _address(mail, "To", action.to)
    _address(mail, "Cc", action.copied)
    _address(mail, "Reply-To", [answers] if answers else [])
    _head(mail, action, stamp)
    _fill(mail, action, picture)
    recipients = tuple(each.address for each in everybody)
    return Letter(sender.address, recipients, mail.as_bytes(), international)


def subject(text: str) -> str:
    """Return a subject on one line, and where it was cut, with an ellipsis."""
    line = readable(text)
    return line if len(line) <= MOST_SUBJECT else line[: MOST_SUBJECT - 1] + ELLIPSIS


def body(action: EmailAction) -> str:
    """Return the message as text, with the figures of its chart."""
    text = action.text if action.text is not None else _plain(action.html or "")
    return "\n".join((text.rstrip("\n"), "", *lines(action.chart), "")) if action.chart else text


def _plain(html: str) -> str:
    from bridge.targets.email.plain import plain_text  # noqa: PLC0415 (its libraries are slow to load)

    return plain_text(html)


def _head(mail: EmailMessage, action: EmailAction, stamp: Stamp) -> None:
    for name, value in action.headers.items():
        mail[name] = readable(value)[:LONGEST_HEADER]
    mail["Subject"] = subject(action.subject)
    mail["Date"] = format_datetime(stamp.at)
    mail["Message-ID"] = stamp.message_id
    if stamp.opener:
        mail["In-Reply-To"] = mail["References"] = stamp.opener
    mail["Auto-Submitted"] = "auto-generated"


def _address(mail: EmailMessage, name: str, mailboxes: Iterable[Mailbox]) -> None:
    """Add a header of addresses, with names unless `email` would lose an address over them.

    Until Python 3.11.12, 3.12.9 and 3.13.2 it encodes a comma between two addresses where it folds the line beside a
    name that is not ASCII (CVE-2025-1795).
    """
    found = tuple(mailboxes)
    if not found:
        return
    mail[name] = [Address(each.name, each.local, each.domain) for each in found]
    if _read_back(mail, name) != [each.address for each in found]:
        del mail[name]
        mail[name] = [Address("", each.local, each.domain) for each in found]


def _read_back(mail: EmailMessage, name: str) -> list[str]:
    """Return the addresses of a header as whoever gets it will read them."""
    written = mail.policy.fold_binary(name, mail[name])
    read = BytesHeaderParser(policy=default).parsebytes(written)[name]
    return [each.addr_spec for each in read.addresses]


def _fill(mail: EmailMessage, action: EmailAction, picture: bytes | None) -> None:
    mail.set_content(body(action))
    html = _html(action)
    if html is not None:
        mail.add_alternative(html, subtype="html")
    if picture is not None:
        _, part = mail.iter_parts()
        part.add_related(picture, "image", "png", cid=f"<{PICTURE}>", filename="chart.png", disposition="inline")
    for each in action.attachments:
        _attach(mail, each)


def _html(action: EmailAction) -> str | None:
    """Return the HTML part: of a message in text there is one only around its chart."""
    if action.chart is None:
        return action.html
    html = action.html if action.html is not None else _preformatted(action.text or "")
    if f"cid:{PICTURE}" in html:
        return html
    image = f'<p><img src="cid:{PICTURE}" alt="{escape(described(action.chart))}" style="max-width:100%"></p>'
    head, closing, rest = html.rpartition("</body>")
    return f"{head}{image}{closing}{rest}" if closing else f"{html}{image}"


def _preformatted(text: str) -> str:
    return f'<div style="white-space:pre-wrap">{escape(text)}</div>'


def _attach(mail: EmailMessage, file: Attachment) -> None:
    name = readable(file.name.replace("/", "-").replace("\\", "-"))
    kind, _ = mimetypes.guess_type(name)
    subtype = kind.removeprefix("text/") if kind and kind.startswith("text/") else "plain"
    mail.add_attachment(file.text, subtype=subtype, filename=name)
