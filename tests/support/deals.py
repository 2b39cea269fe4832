"""Webhooks of one deal's life, as the CRM sends them."""

import copy
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import bridge.rdstation

SAMPLES = Path(bridge.rdstation.__file__).parent / "official"
BRASILIA = timezone(timedelta(hours=-3))
START = datetime(2026, 11, 24, 9, 0, tzinfo=BRASILIA)


def sample(name: str) -> dict[str, Any]:
    """Return an official sample, untouched."""
    body: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return body


class Deal:
    """A deal that changes; each method returns the webhook of that change, a minute after the last."""

    def __init__(self, id_: str = "6650f1", name: str = "Loja Ação", **fields: Any) -> None:
        self.document = sample("crm_deal_updated")["document"] | {"id": id_, "name": name, "amount_total": 11050.5}
        self.document |= fields
        self.moment = START

    def created(self) -> dict[str, Any]:
        stamp = self._tick()
        return self._webhook("crm_deal_created", created_at=stamp, updated_at=stamp)

    def updated(self, **fields: Any) -> dict[str, Any]:
        return self._webhook("crm_deal_updated", updated_at=self._tick(), **fields)

    def moved(self, stage: str, order: int) -> dict[str, Any]:
        return self.updated(deal_stage=self.document["deal_stage"] | {"id": f"s{order}", "name": stage, "order": order})

    def lost(self, **fields: Any) -> dict[str, Any]:
        stamp = self._tick()
        reason = {"id": "r1", "name": "Preço"}
        return self._webhook(
            "crm_deal_updated",
            **{"status": "lost", "closed_at": stamp, "updated_at": stamp, "deal_lost_reason": reason} | fields,
        )

    def reopened(self) -> dict[str, Any]:
        return self.updated(status="ongoing", closed_at=None, deal_lost_reason={})

    def deleted(self) -> dict[str, Any]:
        body = self._webhook("crm_deal_deleted", updated_at=self._tick())
        body["document"] = {"id": self.document["id"], "name": self.document["name"]}
        return body

    def _tick(self) -> str:
        self.moment += timedelta(minutes=1)
        return self.moment.isoformat(timespec="milliseconds")

    def _webhook(self, event_name: str, **fields: Any) -> dict[str, Any]:
        self.document |= fields
        return {
            "event_name": event_name,
            "document": copy.deepcopy(self.document),
            "event_timestamp": self.moment.astimezone(timezone(timedelta())).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "transaction_uuid": str(uuid4()),
        }


def again(body: dict[str, Any]) -> dict[str, Any]:
    """Return the same change announced under another uuid."""
    return body | {"transaction_uuid": str(uuid4())}
