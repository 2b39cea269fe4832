"""A session with an SMTP server: from the connection to the end of one mail, with every way that it can fail."""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from aiosmtplib import SMTP, SMTPException, SMTPResponseException
from aiosmtplib.errors import SMTPRecipientRefused, SMTPServerDisconnected

from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.targets.email.address import readable
from bridge.targets.email.composing import Letter
from bridge.targets.email.options import EmailOptions
from bridge.targets.email.refusals import sorted_refusal, told

PARTING: Final = 2.0
"""Seconds that the server has to answer our QUIT: by then the mail is its own."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What the server said when it took a mail, and why it did not take it for some of the recipients."""

    code: int
    said: str
    refused: tuple[str, ...]

    @property
    def told(self) -> str:
        """Return all of it on one line, what went wrong before."""
        return "; ".join((*(f"not for {each}" for each in self.refused), self.said))


@dataclass(slots=True)
class Session:
    """A session that is encrypted and logged in. Once a mail has ``left``, the server may have taken it."""

    client: SMTP
    left: bool = False

    async def hand_over(self, letter: Letter) -> Taken:
        """Give a mail to the server, for all recipients that it does not refuse.

        Raises:
            PermanentFailure: the mail is larger than the server takes, or needs what it does not know.
            TransientFailure: each recipient was refused, and not each of them for good.
            SMTPException: the server refused the mail.
        """
        options, encoding = self._terms(letter)
        await self.client.mail(letter.sender, options=options, encoding=encoding)
        refused = [each async for each in self._refused(letter.recipients, encoding)]
        if len(refused) == len(letter.recipients):
            raise _all_refused(refused)
        self.left = True
        response = await self.client.data(letter.content)
        return Taken(
            response.code, readable(response.message), tuple(f"{each.recipient}: {told(each)}" for each in refused)
        )

    def _terms(self, letter: Letter) -> tuple[list[str], str]:
        """Return the parameters of MAIL, and the encoding of addresses."""
        known, size = self.client.esmtp_extensions, len(letter.content)
        most = known.get("size", "")
        if most.isdecimal() and 0 < int(most) < size:
            raise PermanentFailure(f"the message has {size} bytes, and the server takes {most}")
        if letter.international and "smtputf8" not in known:
            raise PermanentFailure("an address is not in ASCII, and the server does not know SMTPUTF8")
        options = [f"SIZE={size}"] if "size" in known else []
        return ([*options, "SMTPUTF8"], "utf-8") if letter.international else (options, "ascii")

    async def _refused(self, recipients: Sequence[str], encoding: str) -> AsyncIterator[SMTPRecipientRefused]:
        for recipient in recipients:
            try:
                await self.client.rcpt(recipient, encoding=encoding)
            except SMTPRecipientRefused as refusal:
                yield refusal


@asynccontextmanager
async def session(options: EmailOptions, trust: ssl.SSLContext) -> AsyncIterator[Session]:
    """Yield a session, and tell what fails within it as ``Target.send`` does.

    Raises:
        TransientFailure: there is no connection, it was lost in good time, or the server asks us to come back.
        AccessRefused: the server will not have us, or cannot encrypt.
        UnknownOutcome: no answer came to a mail that had left.
        PermanentFailure: the server refused the mail for good.
    """
    opened = Session(_client(options, trust))
    try:
        async with asyncio.timeout(options.timeout):
            await _open(opened.client, options)
            yield opened
        with suppress(SMTPException, OSError, RuntimeError):
            await opened.client.quit(timeout=PARTING)
    # RuntimeError: uvloop raises it for some lost connections; ValueError: for what cannot be said in a command.
    except (SMTPException, OSError, RuntimeError, ValueError) as error:
        failure = _failure(error, opened, options)
    else:
        return
    finally:
        opened.client.close()
    # Raised outside of the handler: the original may hold what was sent, and would stay as context.
    raise failure


def _client(options: EmailOptions, trust: ssl.SSLContext) -> SMTP:
    return SMTP(
        hostname=options.host,
        port=options.at_port,
        local_hostname=options.own_domain,
        timeout=options.timeout,
        use_tls=options.secured == "tls",
        start_tls=False,
        tls_context=trust,
    )


async def _open(client: SMTP, options: EmailOptions) -> None:
    await client.connect()
    await client.ehlo()
    if options.secured == "starttls":
        _demand(client, "starttls", 'cannot encrypt: it offers no STARTTLS; set "port" and "security" as it wants them')
        await client.starttls()
        await client.ehlo()
    if options.username and options.password:
        _demand(client, "auth", "takes no login: leave out the password, or use the port for sending")
        await client.login(options.username, options.password.reveal())


def _demand(client: SMTP, extension: str, otherwise: str) -> None:
    if not client.supports_extension(extension):
        raise AccessRefused(f"the server {otherwise}")


def _all_refused(refused: Sequence[SMTPRecipientRefused]) -> DeliveryFailure:
    """Return what it means that nobody may have the mail: if only one of them may later, it is worth another try."""
    failures = [sorted_refusal(each) for each in refused]
    failure = next((each for each in failures if not isinstance(each, PermanentFailure)), failures[0])
    if len(refused) > 1:
        failure.reason = f"every recipient was refused; {failure.reason}"
    return failure


def _failure(error: Exception, opened: Session, options: EmailOptions) -> DeliveryFailure:
    if isinstance(error, SMTPResponseException) and error.code > 0:
        return sorted_refusal(error)
    reason = _words(error, options)
    if opened.left:
        return UnknownOutcome(f"no answer to the message: {reason}")
    if isinstance(error, ValueError) and not isinstance(error, OSError):
        return PermanentFailure("an address cannot be said to the server")
    return TransientFailure(reason)


def _words(error: Exception, options: EmailOptions) -> str:
    if isinstance(error, SMTPResponseException):
        return "the server does not speak SMTP as it should"
    found = (_word(each, options) for each in _causes(error))
    return next(filter(None, found), "no connection")


def _word(error: BaseException, options: EmailOptions) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of the host is not trusted: {error.verify_message}"
    reasons: dict[type | tuple[type, ...], str] = {
        ssl.SSLError: 'no TLS connection could be agreed on; see whether "port" and "security" go together',
        socket.gaierror: "the name of the host could not be resolved",
        TimeoutError: f"no answer within {options.timeout:g} s",
        (SMTPServerDisconnected, ConnectionResetError, ConnectionAbortedError): "the server hung up",
    }
    found = next((words for kinds, words in reasons.items() if isinstance(error, kinds)), None)
    system = isinstance(error, OSError) and error.errno and f"no connection: {os.strerror(error.errno)}"
    return found or system or None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield what an error comes from, the first cause first."""
    if error is not None:
        yield from _causes(error.__cause__)
        yield error
