"""Templates that never come back, or want all the memory there is: the daemon gives them up, and goes on."""

import json
import resource
from pathlib import Path
from typing import Any

from bridge.options import read_yaml
from tests.acceptance.test_life_of_a_deal import LOSSES
from tests.support.daemon import Daemon
from tests.support.deals import Deal
from tests.support.sink import Sink

HOSTILE = {
    "endless": "{% for i in range(9999) %}{% for j in range(9999) %}{{ deal.name }}{% endfor %}{% endfor %}",
    "giant": "{{ 'a' * 10 ** 9 }}",
    "growing": "{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "numbers": "{{ 7 ** 7 ** 7 ** 7 }}",
    "recursive": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(40) }}",
    "reaching": "{{ [deal] | map(attribute='__class__') | list }}",
}
MIB = 2**20


def rules() -> str:
    document: Any = read_yaml(LOSSES.encode(), "losses").data
    document["routes"][:0] = [
        {"name": name, "on": "deal.lost", "deliver": [{"to": "team", "body": {"text": template}}]}
        for name, template in HOSTILE.items()
    ]
    return json.dumps(document)


async def test_a_template_that_wants_too_much_costs_its_message_and_nothing_else(daemon: Daemon, sink: Sink) -> None:
    await daemon.start(rules())
    daemon.limit(resource.RLIMIT_AS, (_address_space(daemon) + 512 * MIB, resource.RLIM_INFINITY))
    for name in ("Padaria", "Farmácia"):
        assert (await daemon.post(Deal(name, name).lost()))[0] == 200
    await daemon.settle(60)
    assert sorted(sink.texts) == ["Farmácia: Preço", "Padaria: Preço"]
    deliveries = (await daemon.ask("/api/deliveries?limit=1000"))["deliveries"]
    dead = [delivery["route"] for delivery in deliveries if delivery["state"] == "dead"]
    assert sorted(dead) == sorted([*HOSTILE, *HOSTILE])
    assert all(delivery["reason"] for delivery in deliveries if delivery["state"] == "dead")
    assert "MemoryError" not in daemon.log


def _address_space(daemon: Daemon) -> int:
    """Return the bytes that a daemon has mapped."""
    pages = int(Path(f"/proc/{daemon.pid}/statm").read_text().split()[0])
    return pages * resource.getpagesize()
