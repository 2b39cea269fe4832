"""The page on the simulated CRM: what it shows in Python works, and the addresses it names are there."""

import re
from datetime import timedelta
from textwrap import indent
from typing import Any

from bridge.simulator import Simulator, SimulatorSettings, Truth
from tests.docs.pages import ROOT, blocks, code, rows
from tests.support.crm import CrmClient, simulated
from tests.support.sink import Sink

PAGE = ROOT / "docs/how-to/try-it-with-a-simulated-crm.md"


async def test_the_python_on_the_page_works() -> None:
    [shown] = [block.text for block in blocks(PAGE) if "async with Simulator(" in block.text]
    names: dict[str, Any] = {
        "Simulator": Simulator,
        "SimulatorSettings": SimulatorSettings,
        "timedelta": timedelta,
    }
    async with Sink() as sink:
        text = re.sub(r'"http://[^"]*"', f'"{sink.url}"', shown)
        exec(f"async def main():\n{indent(text, '    ')}    return truth\n", names)  # noqa: S102 (the page is ours)
        truth = await names["main"]()
    assert isinstance(truth, Truth)
    assert truth.closings
    assert len(sink.got) == len(truth.tries) > 1000


async def test_the_addresses_on_the_page_are_there() -> None:
    paths = {name: re.sub(r"^http://[^/]+", "", code(cell)) for name, cell, _ in rows(PAGE, "The APIs")}
    async with simulated() as crm, CrmClient(crm.url) as client:
        statuses = [(await client.ask("GET", f"{paths[name]}/deals")).status for name in ("v1", "v2")]
        assert statuses == [401, 401]
        assert (await client.ask("GET", paths["consent"])).status == 400
        assert (await client.ask("POST", paths["tokens"])).status == 401
