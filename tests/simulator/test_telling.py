import pytest

from bridge.simulator.telling import Note, shown
from tests.support.crm import CrmClient, simulated
from tests.support.sink import Sink


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://bridge.example/hooks/crm/s3cret", "https://bridge.example/…"),
        ("http://[::1]:80/s3cret?k=v", "http://[::1]:80/…"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_of_an_address_no_secret_is_told(url: str, told: str) -> None:
    assert shown(url) == told


async def test_no_note_about_a_webhook_tells_its_secret(sink: Sink) -> None:
    notes: list[Note] = []
    async with simulated(notes) as crm, CrmClient(crm.url) as client:
        body = {"event_type": "crm_deal_updated", "http_method": "POST", "url": f"{sink.url}/s3cret"}
        made = await client.v1("webhooks", "POST", body)
        await client.v1(f"webhooks/{made.body['uuid']}", "PUT", body)
        await client.v1(f"webhooks/{made.body['uuid']}", "DELETE")
    told = [(note.name, note.text) for note in notes if note.what == "webhook"]
    assert [name for name, _ in told] == ["probe", "registered", "probe", "changed", "deleted"]
    assert "s3cret" not in str(notes)
