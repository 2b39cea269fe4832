"""Mail servers on real sockets: a sound one that keeps what it gets, and one that misbehaves at any stage."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from ssl import Purpose, SSLContext, create_default_context
from typing import Any, Final, Self, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from trustme import CA

USER: Final = "bridge@example.com"
PASSWORD: Final = "app-password-hush"


@dataclass(frozen=True)
class Kept:
    """A mail as the server got it."""

    sender: str
    recipients: list[str]
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        """Return it as a mail client reads it."""
        return BytesParser(policy=default).parsebytes(self.raw)

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.mail.get_body((kind,))
        assert part is not None
        return cast("str", part.get_content()).replace("\r\n", "\n")


@dataclass
class Mailroom:
    """aiosmtpd in the loop of the test. ``refuses`` is what it says to some recipients, ``ends`` what to a mail."""

    tls: SSLContext | None = None
    at_once: bool = False
    login: bool = False
    international: bool = False
    room: int = 33_554_432
    refuses: Mapping[str, str] = field(default_factory=dict)
    ends: str = "250 2.0.0 queued as 4711"
    kept: list[Kept] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        at_once = self.tls if self.at_once else None
        self._server = await asyncio.get_running_loop().create_server(self._made, "127.0.0.1", 0, ssl=at_once)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def _made(self) -> SMTP:
        start = self.tls if not self.at_once else None
        return SMTP(
            self,
            data_size_limit=self.room,
            enable_SMTPUTF8=self.international,
            hostname="mail.example.com",
            tls_context=start,
            require_starttls=start is not None,
            authenticator=self._authenticated,
            auth_required=self.login and start is not None,  # it warns of logins where it does not see TLS
            auth_require_tls=start is not None,
            loop=asyncio.get_running_loop(),
        )

    def _authenticated(self, server: SMTP, session: Session, envelope: Envelope, kind: str, data: Any) -> AuthResult:
        right = LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=data == right, handled=False)

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := self.refuses.get(address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (the same)
        content = envelope.content
        assert isinstance(content, bytes)
        assert envelope.mail_from is not None
        if self.ends.startswith("2"):
            self.kept.append(Kept(envelope.mail_from, [str(each) for each in envelope.rcpt_tos], content))
        self.sessions.append(session)
        return self.ends


def authority(host: str = "127.0.0.1") -> tuple[CA, SSLContext]:
    """Return an authority, and how a server of that name proves itself by it."""
    made = CA()
    context = create_default_context(Purpose.CLIENT_AUTH)
    made.issue_cert(host).configure_cert(context)
    return made, context


Reply = str | Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""What is said at a stage, with all that was heard by then for ``{heard}``; a call hangs up afterwards."""

WELL: Final[Mapping[str, Reply]] = {
    "greeting": "220 mail.example.com",
    "EHLO": "250-mail.example.com\r\n250-SIZE 1000000\r\n250-AUTH PLAIN LOGIN\r\n250 HELP",
    "MAIL": "250 OK",
    "RCPT": "250 OK",
    "DATA": "354 go on",
    "end": "250 2.0.0 queued",
    "QUIT": "221 bye",
}


async def hang_up(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    """Say nothing, and end the connection."""


async def stall(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Say nothing until the client hangs up."""
    await reader.read()


class Crooked:
    """A server that says what it is told to at each stage, and else what a sound one says."""

    def __init__(self, **stages: Reply) -> None:
        self._says = {**WELL, **stages}
        self.heard: list[str] = []
        self.arrived = asyncio.Event()
        self.hung_up = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            going = await self._say("greeting", reader, writer)
            while going and (line := await reader.readline()):
                going = await self._hear(line.decode().strip(), reader, writer)
        except ConnectionError:
            pass
        finally:
            self._tasks.discard(task)
            self.hung_up.set()
            writer.close()

    async def _hear(self, line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        self.heard.append(line)
        verb = line.split(" ", maxsplit=1)[0].upper()
        going = await self._say(verb, reader, writer) and verb != "QUIT"
        if going and verb == "DATA" and self._says["DATA"] == WELL["DATA"]:
            await reader.readuntil(b"\r\n.\r\n")
            going = await self._say("end", reader, writer)
        return going

    async def _say(self, stage: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        reply = self._says.get(stage, "500 what?")
        if not isinstance(reply, str):
            self.arrived.set()
            await reply(reader, writer)
            return False
        writer.write(f"{reply.replace('{heard}', ' '.join(self.heard))}\r\n".encode())
        await writer.drain()
        return True
