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


async def test_the_start_shows_a_made_secret_and_points_to_a_chosen_one(daemon: Daemon) -> None:
    await daemon.start(RULES)
    _, made, _ = await daemon.bridge("address", "made")
    assert made.strip() in daemon.out
    assert f"    {daemon.base}/hooks/keyed\n" in daemon.out
    assert "    python -m bridge address chosen\n" in daemon.out
    _, chosen, _ = await daemon.bridge("address", "chosen")
    assert chosen == f"{daemon.base}/hooks/chosen/chosen-by-hand\n"
    for secret in ("chosen-by-hand", "k3y-of-the-header"):
        assert secret not in daemon.out + daemon.log
