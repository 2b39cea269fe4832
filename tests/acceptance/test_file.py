"""From a deal's webhooks to the lines of a file, through the real daemon, killed where it hurts."""

import json
from pathlib import Path

import pytest

from tests.support.deals import Deal
from tests.support.life import outlived

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

    def tear() -> None:
        with (folder / "deals.ndjson").open("a") as file:
            file.write('{"delivery_id":"dlv_torn')

    rules = RULES.replace("FOLDER", str(folder))
    async with outlived(tmp_path, rules, (point, passage), Deal("65", rating=3), tear):
        pass
    lines = [json.loads(line) for line in (folder / "deals.ndjson").read_text().splitlines()]
    assert len({line["event"] for line in lines}) == len(lines) == 4
    assert len({line["delivery_id"] for line in lines}) == 4
    assert lines[-1]["name"] == "Padaria Estrela"
