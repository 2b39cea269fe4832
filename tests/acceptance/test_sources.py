"""How webhooks get in, whatever opens their source."""

from tests.support.daemon import Daemon

RULES = """\
version: 1
sources:
  made: {type: rdstation_crm}
  chosen: {type: rdstation_crm, secrets: [chosen-by-hand]}
  keyed: {type: rdstation_crm, auth_header: X-Bridge-Key, auth_key: k3y-of-the-header}
targets: {screen: {type: log}}
routes: [{name: losses, on: deal.lost, deliver: [{to: screen, text: "{{ deal.name }}"}]}]
"""


async def test_a_sample_gets_in_whatever_opens_its_source(daemon: Daemon) -> None:
    await daemon.start(RULES)
    for source in ("made", "chosen", "keyed"):
        code, out, err = await daemon.bridge("send", "deal.lost", "--source", source)
        assert (code, err) == (0, ""), source
        assert "losses → screen  delivered" in out, source
