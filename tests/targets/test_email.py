"""The email target against a real server, with TLS and a login, on a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import Session
from trustme import CA

from bridge.component import AnyTarget
from bridge.component.client import Client
from bridge.errors import AccessRefused, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject, Message, Receipt
from bridge.targets.email import Email, EmailOptions
from tests.contracts.target import DELIVERY, KnownLinks, Service, TargetContract, Trouble, once
from tests.support.mail import PASSWORD, USER, Crooked, Kept, Mailroom, Reply, authority, hang_up, stall

CONTENT: JsonObject = {
    "recipients": "Ana Conceição <ana@example.com>",
    "subject": "Perdemos: Plano anual",
    "text": "Motivo: Preço\n.\nValor: R$ 11.050,50\n",
}
OPEN = {"security": "none"}


TROUBLES: dict[Trouble, dict[str, Reply]] = {
    Trouble.NOBODY: {},
    Trouble.LATER: {"MAIL": "451 4.3.0 busy"},
    Trouble.SILENT: {"end": stall},
    Trouble.BROKEN: {"end": hang_up},
    Trouble.NEVER: {"end": "554 5.6.0 no: {heard}"},
    Trouble.SHUT: {"AUTH": "535 5.7.8 no: {heard}"},
}


def target(port: int, **options: Any) -> Email:
    said = {"host": "127.0.0.1", "port": port, "from": "Vendas <bridge@example.com>", **OPEN, **options}
    return Email("sales", EmailOptions.model_validate(said))


def message(**content: Any) -> Message:
    return Message(DELIVERY, "deal:1", {**CONTENT, **content})


async def send(to: AnyTarget, links: KnownLinks | None = None, **content: Any) -> Receipt:
    async with Client() as client:
        return await to.send(message(**content), links or KnownLinks(), client)


class TestEmail(TargetContract):
    type_name = "email"
    content = CONTENT
    seen_by_people = "Perdemos: Plano anual"
    secrets = (PASSWORD, *target(9, username=USER, password=PASSWORD).options.made_secrets())

    @pytest.fixture(autouse=True)
    def _nowhere(self, unused_tcp_port: int) -> None:
        self.nowhere = unused_tcp_port

    def build(self, url: str, timeout: float = 15) -> AnyTarget:
        return self.at(9, timeout)

    def at(self, port: int, seconds: float) -> Email:
        return target(port, username=USER, password=PASSWORD, timeout=seconds)

    @asynccontextmanager
    async def facing(self, trouble: Trouble | None, seconds: float) -> AsyncIterator[Service]:
        if trouble is None:
            async with Mailroom(login=True) as room:
                yield Service(self.at(room.port, seconds), got=lambda: once(map(self.told, room.kept)))
            return
        async with Crooked(**{"AUTH": "235 welcome", **TROUBLES[trouble]}) as server:
            port = self.nowhere if trouble is Trouble.NOBODY else server.port
            yield Service(self.at(port, seconds), server.arrived, hung_up=server.hung_up)

    @staticmethod
    def told(kept: Kept) -> str:
        """Return what makes a mail the same for who gets it: its date, and how its parts are set apart, do not."""
        return f"{kept.mail['Message-ID']} {kept.recipients} {kept.mail['Subject']} {kept.text}"


@pytest.fixture
async def room() -> AsyncIterator[Mailroom]:
    async with Mailroom() as opened:
        yield opened


@pytest.fixture
def ca_file(tmp_path: Path) -> tuple[str, Any]:
    made, context = authority()
    return _written(made, tmp_path), context


def _written(made: CA, folder: Path) -> str:
    path = folder / "ca.pem"
    made.cert_pem.write_to_path(path)
    return str(path)


# what arrives


async def test_a_mail_arrives_as_it_was_written(room: Mailroom) -> None:
    receipt = await send(target(room.port))
    assert (receipt.status, receipt.excerpt) == (250, "2.0.0 queued as 4711")
    [kept] = room.kept
    assert (kept.sender, kept.recipients) == ("bridge@example.com", ["ana@example.com"])
    assert kept.text == CONTENT["text"]
    mail = kept.mail
    assert mail["Subject"] == "Perdemos: Plano anual"
    assert mail["From"] == "Vendas <bridge@example.com>"
    assert mail["To"].addresses[0].display_name == "Ana Conceição"
    assert mail["Message-ID"] == f"<{DELIVERY}@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert not mail.defects


async def test_copies_go_out_and_blind_ones_stand_nowhere(room: Mailroom) -> None:
    people: dict[str, Any] = {
        "recipients": ["ana@example.com", "rui@example.com"],
        "cc": "eva@example.com",
        "bcc": ["ze@example.com"],
    }
    await send(target(room.port), **people)
    [kept] = room.kept
    assert kept.recipients == ["ana@example.com", "rui@example.com", "eva@example.com", "ze@example.com"]
    assert [each.addr_spec for each in kept.mail["To"].addresses] == ["ana@example.com", "rui@example.com"]
    assert [each.addr_spec for each in kept.mail["Cc"].addresses] == ["eva@example.com"]
    assert b"ze@example.com" not in kept.raw


async def test_whoever_stands_there_twice_gets_it_once(room: Mailroom) -> None:
    await send(target(room.port), recipients=["ana@example.com", "rui@example.com"], cc="ana@example.com")
    assert room.kept[0].recipients == ["ana@example.com", "rui@example.com"]


async def test_html_alone_brings_its_text_along(room: Mailroom) -> None:
    html = "<h1>Perdas</h1><p>Veja <a href='https://example.com/1'>o negócio</a></p>"
    await send(target(room.port), text=None, html=html)
    [kept] = room.kept
    assert kept.mail.get_content_type() == "multipart/alternative"
    assert kept.text == "# Perdas\n\nVeja [o negócio](https://example.com/1)\n"
    assert kept.html.strip() == html


async def test_files_go_along_under_their_names(room: Mailroom) -> None:
    files = [{"name": "perdas de maio.csv", "text": "nome;valor\nAção;1\n"}, {"name": "../../etc/x", "text": "nota"}]
    await send(target(room.port), attachments=files)
    found = list(room.kept[0].mail.iter_attachments())
    assert [(each.get_filename(), each.get_content_type()) for each in found] == [
        ("perdas de maio.csv", "text/csv"),
        ("..-..-etc-x", "text/plain"),
    ]
    assert found[0].get_content().replace("\r\n", "\n") == "nome;valor\nAção;1\n"


async def test_a_chart_is_in_the_html_and_its_figures_in_the_text(room: Mailroom) -> None:
    chart = {"title": "Motivos", "data": {"Preço": 3, "Prazo": 1}}
    await send(target(room.port), chart=chart)
    [kept] = room.kept
    assert "Preço: 3\nPrazo: 1" in kept.text
    assert 'src="cid:chart@bridge"' in kept.html
    assert 'alt="Motivos; Preço: 3; Prazo: 1"' in kept.html
    [picture] = [part for part in kept.mail.walk() if part.get_content_type() == "image/png"]
    assert picture["Content-ID"] == "<chart@bridge>"
    assert picture.get_content().startswith(b"\x89PNG")


async def test_a_chart_stands_where_the_html_wants_it(room: Mailroom) -> None:
    html = '<body><img src="cid:chart@bridge"><p>fim</p></body>'
    await send(target(room.port), text=None, html=html, chart={"data": {"a": 1}})
    assert room.kept[0].html.strip() == html


async def test_own_headers_and_where_answers_go(room: Mailroom) -> None:
    own = {"X-CRM": "65c4", "List-Id": "perdas <perdas.example.com>"}
    await send(target(room.port, reply_to="vendas@example.com"), headers=own)
    await send(target(room.port, reply_to="vendas@example.com"), reply_to="rui@example.com")
    first, second = (kept.mail for kept in room.kept)
    assert (first["X-CRM"], first["List-Id"]) == ("65c4", "perdas <perdas.example.com>")
    assert (first["Reply-To"], second["Reply-To"]) == ("vendas@example.com", "rui@example.com")


async def test_mails_of_one_thread_refer_to_the_first(room: Mailroom) -> None:
    links = KnownLinks()
    first = await send(target(room.port), links, thread="deal:1")
    links.keep(first)
    second = await target(room.port).send(Message("dlv_2", "deal:1", {**CONTENT, "thread": "deal:1"}), links, Client())
    opener, answer = (kept.mail for kept in room.kept)
    assert opener["References"] is None
    assert answer["In-Reply-To"] == answer["References"] == opener["Message-ID"]
    assert answer["Message-ID"] == "<dlv_2@example.com>"
    assert second.links == ()


async def test_every_attempt_bears_the_same_id(room: Mailroom) -> None:
    room.ends = "451 4.3.0 later"
    with pytest.raises(TransientFailure):
        await send(target(room.port))
    room.ends = "250 OK"
    await send(target(room.port, domain="mail.acme.com"))
    await send(target(room.port, domain="mail.acme.com"))
    assert [kept.mail["Message-ID"] for kept in room.kept] == [f"<{DELIVERY}@mail.acme.com>"] * 2


async def test_the_server_is_greeted_by_our_domain(room: Mailroom) -> None:
    await send(target(room.port, domain="mail.acme.com"))
    assert room.sessions[0].host_name == "mail.acme.com"


async def test_a_domain_in_another_script_is_written_in_ascii(room: Mailroom) -> None:
    await send(target(room.port), recipients="ana@ação.com.br")
    assert room.kept[0].recipients == ["ana@xn--ao-siap.com.br"]


async def test_an_address_in_another_script_goes_where_the_server_takes_it(room: Mailroom) -> None:
    with pytest.raises(PermanentFailure, match="SMTPUTF8"):
        await send(target(room.port), recipients="josé@example.com")
    async with Mailroom(international=True) as other:
        await send(target(other.port), recipients="josé@example.com", subject="Olá, José")
    assert other.kept[0].recipients == ["josé@example.com"]
    assert other.kept[0].mail["Subject"] == "Olá, José"


# the connection


async def test_starttls_comes_first_and_then_the_login(ca_file: tuple[str, Any]) -> None:
    path, context = ca_file
    async with Mailroom(tls=context, login=True) as room:
        secured = target(room.port, security="starttls", ca_file=path, username=USER, password=PASSWORD)
        await send(secured)
        assert await secured.probe(Client()) == f"logs in as {USER} at 127.0.0.1:{room.port}"
    [session] = room.sessions
    assert isinstance(session, Session)
    assert session.ssl is not None
    assert session.authenticated


async def test_tls_from_the_first_byte(ca_file: tuple[str, Any]) -> None:
    path, context = ca_file
    async with Mailroom(tls=context, at_once=True, login=True) as room:
        await send(target(room.port, security="tls", ca_file=path, username=USER, password=PASSWORD))
    assert len(room.kept) == 1
    assert room.sessions[0].authenticated


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_certificate_of_a_stranger_is_not_trusted(ca_file: tuple[str, Any], security: str) -> None:
    async with Mailroom(tls=ca_file[1], at_once=security == "tls") as room:
        with pytest.raises(TransientFailure, match="certificate of the host is not trusted"):
            await send(target(room.port, security=security))
    assert room.kept == []


async def test_a_certificate_of_another_host_is_not_trusted(tmp_path: Path) -> None:
    made, context = authority("mail.example.com")
    async with Mailroom(tls=context) as room:
        with pytest.raises(TransientFailure, match="not trusted"):
            await send(target(room.port, security="starttls", ca_file=_written(made, tmp_path)))


async def test_a_wrong_password_pauses_the_target_and_is_not_told(ca_file: tuple[str, Any]) -> None:
    path, context = ca_file
    async with Mailroom(tls=context, login=True) as room:
        wrong = target(room.port, security="starttls", ca_file=path, username=USER, password="wrong-hush-hush")
        with pytest.raises(AccessRefused) as caught:
            await send(wrong)
        with pytest.raises(AccessRefused):
            await wrong.probe(Client())
    assert caught.value.status == 535
    assert "hush" not in str(caught.value) + repr(caught.value.__context__) + repr(caught.value.__cause__)


async def test_a_server_that_cannot_encrypt_gets_neither_password_nor_mail(room: Mailroom) -> None:
    with pytest.raises(AccessRefused, match="no STARTTLS"):
        await send(target(room.port, security="starttls", username=USER, password=PASSWORD))
    assert room.kept == []


async def test_a_server_without_logins_is_told_apart() -> None:
    async with Crooked(EHLO="250 mail.example.com") as server:
        with pytest.raises(AccessRefused, match="takes no login"):
            await send(target(server.port, username=USER, password=PASSWORD))
    assert not any(line.startswith("AUTH") for line in server.heard)


async def test_without_a_login_a_probe_says_so(room: Mailroom) -> None:
    assert await target(room.port).probe(Client()) == f"may send without a login at 127.0.0.1:{room.port}"


# who is refused


async def test_one_refused_recipient_does_not_keep_it_from_the_others(room: Mailroom) -> None:
    room.refuses = {"old@example.com": "550 5.1.1 no such user", "full@example.com": "452 4.2.2 mailbox full"}
    receipt = await send(target(room.port), recipients=["old@example.com", "ana@example.com", "full@example.com"])
    assert room.kept[0].recipients == ["ana@example.com"]
    assert receipt.excerpt == (
        "not for old@example.com: 550 5.1.1 no such user; not for full@example.com: 452 4.2.2 mailbox full; "
        "2.0.0 queued as 4711"
    )


async def test_nobody_left_is_for_good_only_if_all_are_refused_for_good(room: Mailroom) -> None:
    room.refuses = {"old@example.com": "550 5.1.1 no such user", "ana@example.com": "450 4.7.1 greylisted"}
    with pytest.raises(PermanentFailure, match=r"refused old@example\.com: 550"):
        await send(target(room.port), recipients="old@example.com")
    with pytest.raises(TransientFailure) as caught:
        await send(target(room.port), recipients=["old@example.com", "ana@example.com"])
    assert caught.value.reason == (
        "every recipient was refused; the server refused ana@example.com: 450 4.7.1 greylisted"
    )
    assert room.kept == []


async def test_the_target_writes_to_its_domains_alone(room: Mailroom) -> None:
    bounded = target(room.port, allowed_domains=["Example.com", "ação.com.br"])
    await send(bounded, recipients=["ana@EXAMPLE.com", "rui@ação.com.br"])
    with pytest.raises(PermanentFailure, match=r"eve@evil\.example is not in the domains"):
        await send(bounded, bcc="eve@evil.example")
    assert len(room.kept) == 1
    assert "Not sent: eve@evil.example" in bounded.preview({**CONTENT, "bcc": "eve@evil.example"})


# sizes


async def test_a_mail_that_is_too_large_is_not_even_offered() -> None:
    async with Mailroom(room=2000) as room:
        with pytest.raises(PermanentFailure, match=r"has \d+ bytes, and the server takes 2000"):
            await send(target(room.port), text="x" * 3000)
        await send(target(room.port))
    assert len(room.sessions) == 1


# misbehaviour


async def failing(stages: dict[str, Any], seconds: float = 5) -> tuple[Crooked, Exception]:
    async with Crooked(**stages) as server:
        with pytest.raises((TransientFailure, PermanentFailure, AccessRefused, UnknownOutcome)) as caught:
            await send(target(server.port, timeout=seconds))
        await asyncio.wait_for(server.hung_up.wait(), 5)
    return server, caught.value


@pytest.mark.parametrize("stage", ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "end"])
@pytest.mark.parametrize("code", [421, 450, 451, 452])
async def test_not_now_is_safe_to_try_again_at_every_stage(stage: str, code: int) -> None:
    _, failure = await failing({stage: f"{code} 4.7.0 come back"})
    assert isinstance(failure, TransientFailure)
    assert failure.status == code
    assert "come back" in failure.reason
    assert not failure.throttled


@pytest.mark.parametrize(
    ("stage", "code", "kind"),
    [
        ("greeting", 554, AccessRefused),
        ("EHLO", 550, AccessRefused),
        ("MAIL", 530, AccessRefused),
        ("MAIL", 550, AccessRefused),
        ("MAIL", 552, PermanentFailure),
        ("RCPT", 550, PermanentFailure),
        ("RCPT", 530, AccessRefused),
        ("DATA", 554, PermanentFailure),
        ("end", 550, PermanentFailure),
        ("end", 552, PermanentFailure),
        ("end", 554, PermanentFailure),
    ],
)
async def test_never_is_about_the_message_or_about_us(stage: str, code: int, kind: type[Exception]) -> None:
    _, failure = await failing({stage: f"{code} 5.7.1 no"})
    assert type(failure) is kind


@pytest.mark.parametrize("stage", ["greeting", "EHLO", "MAIL", "RCPT"])
@pytest.mark.parametrize("how", [hang_up, stall], ids=["hangs up", "says nothing"])
async def test_silence_before_the_mail_has_left_is_safe_to_try_again(stage: str, how: Any) -> None:
    _, failure = await failing({stage: how}, 0.3)
    assert isinstance(failure, TransientFailure)


@pytest.mark.parametrize("how", [hang_up, stall, "nonsense", "299 well"], ids=["hangs up", "silent", "odd", "vague"])
async def test_without_an_answer_to_the_mail_its_outcome_is_unknown(how: Any) -> None:
    server, failure = await failing({"end": how}, 0.3)
    assert isinstance(failure, UnknownOutcome)
    assert "DATA" in server.heard


@pytest.mark.parametrize("stage", ["greeting", "MAIL"])
async def test_what_is_no_smtp_is_told_so(stage: str) -> None:
    _, failure = await failing({stage: "SSH-2.0-OpenSSH_9.2"})
    assert isinstance(failure, TransientFailure)
    assert "does not speak SMTP" in failure.reason


async def test_a_server_that_does_not_answer_to_quit_has_the_mail_all_the_same() -> None:
    async with Crooked(QUIT=hang_up) as server:
        assert (await send(target(server.port))).status == 250


async def test_tls_where_none_is_spoken_is_safe_to_try_again() -> None:
    async with Crooked() as server:
        with pytest.raises(TransientFailure, match="no TLS connection"):
            await send(target(server.port, security="tls"))


async def test_a_name_that_nobody_has_is_safe_to_try_again() -> None:
    with pytest.raises(TransientFailure, match="could not be resolved"):
        await send(target(25, host="nobody.invalid"))
