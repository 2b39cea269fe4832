"""From a lost deal to the mail in its owner's box, through the real daemon and a real mail server."""

from pathlib import Path

from tests.support.daemon import Daemon
from tests.support.deals import Deal
from tests.support.mail import PASSWORD, USER, Crooked, Mailroom, authority

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  team:
    type: email
    host: 127.0.0.1
    port: PORT
    security: SECURITY
    from: "Vendas <bridge@example.com>"
    retry: {first: 200ms}
routes:
  - name: losses
    on: [deal.lost, deal.reopened]
    deliver:
      - to: team
        recipients: "{{ deal.user.email }}"
        subject: "Negociação {{ deal.name }}"
        html: "<p>{{ deal.name }}: {{ deal.status }}</p>"
        thread: deal
"""
SECURED = """\
    username: USER
    password: "${SMTP_PASSWORD}"
    ca_file: CA_FILE
    retry:"""


def rules(port: int, security: str = "none") -> str:
    return RULES.replace("PORT", str(port)).replace("SECURITY", security)


async def test_a_lost_deal_reaches_its_owner_encrypted_and_its_mails_are_one_conversation(
    daemon: Daemon, tmp_path: Path
) -> None:
    made, context = authority()
    made.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    deal = Deal(name="Pão <b>Quente</b>", user={"id": "1", "name": "Ana", "email": "ana@example.com"})
    async with Mailroom(tls=context, login=True) as room:
        secured = SECURED.replace("USER", USER).replace("CA_FILE", str(tmp_path / "ca.pem"))
        await daemon.start(rules(room.port, "starttls").replace("    retry:", secured), SMTP_PASSWORD=PASSWORD)
        for webhook in (deal.created(), deal.lost(), deal.reopened(), deal.lost()):
            assert (await daemon.post(webhook))[0] == 200
        await daemon.settle()
        told = await daemon.bridge("deliveries", "--format", "json")
    assert [kept.recipients for kept in room.kept] == [["ana@example.com"]] * 3
    first, *later = (kept.mail for kept in room.kept)
    assert first["Subject"] == "Negociação Pão <b>Quente</b>"
    assert [each["References"] for each in later] == [first["Message-ID"]] * 2
    assert "Pão &lt;b&gt;Quente&lt;/b&gt;: lost" in room.kept[0].html
    assert room.kept[0].text == "Pão <b>Quente</b>: lost\n"
    assert all(session.ssl and session.authenticated for session in room.sessions)
    assert PASSWORD not in daemon.log + daemon.out + told[1]


async def test_a_server_that_is_busy_gets_the_mail_later_and_once(daemon: Daemon) -> None:
    deal = Deal(user={"id": "1", "name": "Ana", "email": "ana@example.com"})
    async with Mailroom(ends="451 4.3.0 busy") as room:
        await daemon.start(rules(room.port))
        await daemon.post(deal.created())
        await daemon.post(deal.lost())
        await daemon.until(lambda _: room.sessions != [])
        room.ends = "250 OK"
        await daemon.settle()
    [kept] = room.kept
    assert kept.recipients == ["ana@example.com"]


async def test_a_server_that_refuses_the_sender_pauses_the_target_and_loses_nothing(daemon: Daemon) -> None:
    deal = Deal(user={"id": "1", "name": "Ana", "email": "ana@example.com"})
    async with Crooked(MAIL="550 5.7.60 not allowed to send as this sender") as server:
        await daemon.start(rules(server.port))
        await daemon.post(deal.created())
        await daemon.post(deal.lost())
        await daemon.until(lambda target: target["state"] == "paused" and target["deliveries"]["parked"] == 1)
        state = await daemon.target()
    assert "not allowed to send as this sender" in state["reason"]
