"""What mails are made of: addresses, headers and parts, whatever data comes their way."""

import re
from base64 import b64encode
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.options import secrets_in
from bridge.targets.email.address import domain_of, inert, mailbox, readable
from bridge.targets.email.composing import MOST_SUBJECT, Stamp, letter, subject
from bridge.targets.email.options import MOST_RECIPIENTS, ROOM, EmailAction, EmailOptions
from bridge.targets.email.plain import plain_text

OPTIONS = EmailOptions.model_validate({"host": "mail.example.com", "from": "Vendas <bridge@example.com>"})
STAMP = Stamp("<dlv_1@example.com>", datetime(2026, 11, 24, 12, tzinfo=UTC))
SAID: dict[str, Any] = {"recipients": "ana@example.com", "subject": "s", "text": "t"}
HOSTILE = st.text(st.sampled_from('<>,;:"()@\\=?_ \r\n\0\u2028ção') | st.characters(codec="utf-8"), max_size=60)


def composed(**said: Any) -> EmailMessage:
    made = letter(OPTIONS, EmailAction.model_validate({**SAID, **said}), STAMP, None)
    return BytesParser(policy=default).parsebytes(made.content)


def addresses(mail: EmailMessage, header: str) -> list[str]:
    return [each.addr_spec for each in mail[header].addresses]


# addresses


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("ana@example.com", "", "ana@example.com"),
        ("  ana@example.com ", "", "ana@example.com"),
        ("Ana P. Conceição <ana@example.com>", "Ana P. Conceição", "ana@example.com"),
        ('"Souza, Ana" <ana@example.com>', "Souza, Ana", "ana@example.com"),
        ("Souza, Ana <ana@example.com>", "Souza, Ana", "ana@example.com"),
        ("<ana@example.com>", "", "ana@example.com"),
        ("ana@AÇÃO.com.br", "", "ana@xn--ao-siap.com.br"),
        ("ana@intranet", "", "ana@intranet"),
        (f"{'x' * 300} <ana@example.com>", "x" * 100, "ana@example.com"),
    ],
)
def test_a_text_is_one_address(text: str, name: str, address: str) -> None:
    found = mailbox(text)
    assert (found.name, found.address) == (name, address)


@pytest.mark.parametrize(
    "text",
    [
        "ana",
        "ana@",
        "a@example.com, b@example.com",
        "a@example.com b@example.com",
        "a@example.com; b@example.com",
        "a@example.com <b@example.com>",
        "x <a@example.com> <b@example.com>",
        "x <a@example.com>, b@example.com",
        "a@example.com\r\nBcc: b@example.com",
        "a\n@example.com",
        "a@[127.0.0.1]",
        "x <a@example.com",
        "<>",
    ],
)
def test_a_text_that_is_not_one_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="e-mail address"):
        mailbox(text)


def test_a_domain_is_told_in_ascii() -> None:
    assert domain_of("Ação.com.br") == "xn--ao-siap.com.br"
    with pytest.raises(ValueError, match="which is no domain"):
        domain_of("foo bar")


@settings(deadline=None)
@given(name=HOSTILE)
@example(name="Eve <eve@evil.example>, ")
@example(name='x" <eve@evil.example>')
def test_data_beside_an_address_cannot_be_another(name: str) -> None:
    try:
        found = mailbox(f"{inert(name)} <ana@example.com>")
    except ValueError:
        return
    assert found.address == "ana@example.com"
    assert readable(found.name) == found.name


@settings(deadline=None)
@given(data=HOSTILE)
def test_data_alone_is_one_address_or_none(data: str) -> None:
    try:
        action = EmailAction.model_validate({**SAID, "recipients": inert(data)})
    except ValidationError:
        return
    assert len(action.everybody) == 1
    assert not re.search(r"[\s,;<>]", action.everybody[0].address)


# headers


@settings(deadline=None)
@given(names=st.lists(HOSTILE, min_size=1, max_size=5), about=HOSTILE)
@example(names=["筵"] * 4, about="")
def test_what_is_sent_reads_back_to_the_same_people(names: list[str], about: str) -> None:
    written = [f"{inert(name).replace('@', '')} <user{place}@example.com>" for place, name in enumerate(names)]
    mail = composed(recipients=written, cc=written[:1], subject=about, text=about)
    assert addresses(mail, "To") == [f"user{place}@example.com" for place in range(len(names))]
    assert addresses(mail, "Cc") == ["user0@example.com"]
    assert addresses(mail, "From") == ["bridge@example.com"]
    assert mail["Subject"] == subject(about)
    expected = {"From", "To", "Cc", "Subject", "Date", "Message-ID", "Auto-Submitted"}
    framing = {"Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
    assert set(mail.keys()) == expected | framing
    body = mail.get_body(("plain",))
    assert body is not None
    assert _lines(cast("str", body.get_content())) == _lines(about)


def _lines(text: str) -> list[str]:
    return "\n".join(re.split(r"\r\n|\r|\n", text)).rstrip("\n").split("\n")


@settings(deadline=None)
@given(value=HOSTILE)
def test_a_header_of_the_rules_stays_one_header(value: str) -> None:
    mail = composed(headers={"X-CRM": value})
    assert len(mail.get_all("X-CRM", [])) == 1
    assert addresses(mail, "To") == ["ana@example.com"]
    assert "Bcc" not in mail


@pytest.mark.parametrize(
    "name", ["To", "bcc", "Subject", "Received", "Sender", "X-A\r\nBcc", "X-Ação", "DKIM-Signature"]
)
def test_headers_that_name_people_or_frame_parts_cannot_be_set(name: str) -> None:
    with pytest.raises(ValidationError, match="cannot be set"):
        EmailAction.model_validate({**SAID, "headers": {name: "x"}})


def test_a_long_subject_is_cut_and_shows_it() -> None:
    assert subject("x" * MOST_SUBJECT) == "x" * MOST_SUBJECT
    assert subject("x" * (MOST_SUBJECT + 1)) == "x" * (MOST_SUBJECT - 1) + "…"


def test_lines_on_the_wire_are_short_ascii_and_end_as_they_should() -> None:
    made = letter(OPTIONS, EmailAction.model_validate({**SAID, "subject": "ç" * 250, "text": "ã" * 5000}), STAMP, None)
    assert made.content.isascii()
    assert max(map(len, made.content.split(b"\r\n"))) <= 998
    assert b"\n" not in made.content.replace(b"\r\n", b"")


# what an entry may say


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"recipients": ""}, "gives nobody"),
        ({"recipients": None}, "gives nobody"),
        ({"recipients": ["", None]}, "gives nobody"),
        ({"text": None}, 'needs "text"'),
        ({"recipients": [f"u{n}@example.com" for n in range(MOST_RECIPIENTS)], "cc": "x@example.com"}, "more than 50"),
        ({"attachments": [{"name": "a", "text": "x" * ROOM}, {"name": "b", "text": "x"}]}, "more than 5 MiB"),
        ({"attachments": [{"name": "a", "text": "x"}] * 11}, "at most 10"),
        ({"cc": "nobody"}, "no e-mail address"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_reason(said: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        EmailAction.model_validate({**SAID, **said})


def test_of_a_list_the_empty_ones_are_left_out() -> None:
    action = EmailAction.model_validate({**SAID, "recipients": ["", None, "ana@example.com"], "cc": None})
    assert [each.address for each in action.everybody] == ["ana@example.com"]


# what a target may say


def options(**said: Any) -> EmailOptions:
    return EmailOptions.model_validate({"host": "mail.example.com", "from": "bridge@example.com", **said})


@pytest.mark.parametrize(
    ("said", "security", "port"),
    [
        ({}, "starttls", 587),
        ({"port": 25}, "starttls", 25),
        ({"port": 465}, "tls", 465),
        ({"security": "tls"}, "tls", 465),
        ({"security": "none"}, "none", 25),
        ({"security": "starttls", "port": 465}, "starttls", 465),
    ],
)
def test_port_and_security_follow_from_each_other(said: dict[str, Any], security: str, port: int) -> None:
    assert (options(**said).secured, options(**said).at_port) == (security, port)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"username": "u"}, "go together"),
        ({"password": "hush-hush"}, "go together"),
        ({"username": "u", "password": "hush-hush", "security": "none"}, "in clear"),
        ({"from": "Vendas"}, "no e-mail address"),
        ({"from": ""}, "at least 1"),
        ({"host": "smtp://mail"}, "pattern"),
        ({"ca_file": "/nowhere/ca.pem"}, "readable file of certificates"),
        ({"allowed_domains": ["@"]}, "no domain"),
    ],
)
def test_options_that_cannot_work_are_refused(said: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason) as caught:
        options(**said)
    assert "hush" not in str(caught.value)


def test_a_password_in_clear_may_stay_on_the_machine() -> None:
    assert options(host="localhost", username="u", password="p", security="none").secured == "none"


def test_the_password_is_known_in_every_form_that_goes_on_the_wire() -> None:
    made = set(secrets_in(options(username="u", password="hush-hush")))
    assert made == {"hush-hush", b64encode(b"\0u\0hush-hush").decode(), b64encode(b"hush-hush").decode()}


# HTML in words


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("x.com", "x.com\n"),
        ("<p>a_b *c* &lt;b&gt; 1. x</p>", "a_b *c* <b> 1. x\n"),
        ("<title>T</title><style>p{}</style><script>x()</script><p>a</p>", "a\n"),
        ("<ul><li>a</li><li>b</li></ul>", "* a\n* b\n"),
        ("<table><tr><th>Motivo</th><td>Preço\n alto</td></tr></table>", "Motivo: Preço alto\n"),
        ("<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>", "a | b\n1 | 2\n"),
        ('<img src="x" alt="um gráfico">', "um gráfico\n"),
        ("", "\n"),
    ],
)
def test_html_reads_as_text(html: str, text: str) -> None:
    assert plain_text(html) == text
