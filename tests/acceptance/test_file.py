"""From a deal's webhooks to the lines of a file, through the real daemon, killed where it hurts."""

import json
from pathlib import Path

import pytest

from tests.support.daemon import Daemon
from tests.support.deals import Deal
from tests.support.life import post_until_killed

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  bi: {type: file, directory: "FOLDER", rotate: never, retry: {first: 1ms, max: 1ms}, breaker: null}
routes:
  - name: line
    on: [deal.created, crm_deal_updated]
    deliver:
      - to: bi
        file: deals
        row: {event: "{{ event.id }}", name: "{{ deal.name }}"}
"""


@pytest.mark.parametrize(
    ("point", "passage"),
    [("claim after commit", 1), ("answer before record", 1), ("answer before record", 3), ("record before commit", 2)],
)
async def test_a_daemon_that_is_killed_beside_its_file_writes_each_line_once(
    tmp_path: Path, point: str, passage: int
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    deal, daemon = Deal("65", rating=3), Daemon(tmp_path)
    life = [deal.created(), deal.lost(), deal.reopened(), deal.updated(name="Padaria Estrela", rating=4)]
    daemon.write_rules(RULES.replace("FOLDER", str(folder)))
    await daemon.spawn("tests.support.crashing", point, str(passage))
    try:
        assert await daemon.ready()
        await post_until_killed(daemon, life)
        with (folder / "deals.ndjson").open("a") as file:
            file.write('{"delivery_id":"dlv_torn')
        await daemon.start()
        for body in life:
            assert (await daemon.post(body))[0] == 200
        await daemon.settle()
    finally:
        await daemon.kill()
    lines = [json.loads(line) for line in (folder / "deals.ndjson").read_text().splitlines()]
    assert len({line["event"] for line in lines}) == len(lines) == 4
    assert len({line["delivery_id"] for line in lines}) == 4
    assert lines[-1]["name"] == "Padaria Estrela"
