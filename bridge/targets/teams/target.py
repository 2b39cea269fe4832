"""The teams target: one card, handed to a workflow that posts it."""

from typing import Final

from pydantic import ValidationError

from bridge.component import Answer, Http, Links, Request, Target
from bridge.component.http import json_body
from bridge.component.markdown import escape
from bridge.component.reading import object_in
from bridge.component.written_json import within_json
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject, Message, Rate, Receipt
from bridge.targets.teams.card import payload, written
from bridge.targets.teams.options import TeamsAction, TeamsOptions

NO_WORKFLOW: Final = {
    "DirectApiAuthorizationRequired": "the address lacks its signature; copy it anew",
    "WorkflowNotFound": "the workflow was deleted; make a new one",
    "WorkflowTriggerIsNotEnabled": "the workflow is switched off",
    "WorkflowTriggerNotFound": "the workflow is not started by a webhook any more",
}
"""The refusals, by the words of Power Automate, that no other message would fare better with."""


class Teams(Target[TeamsOptions, TeamsAction]):
    """Posts cards to Microsoft Teams.

    A workflow takes a card and answers before it is posted: what goes wrong within the flow is only seen there. It
    knows no idempotency key, and what was posted cannot be changed.
    """

    Options = TeamsOptions
    Action = TeamsAction
    escapes = {  # noqa: RUF012 (a ClassVar of the base)
        "text": escape,
        "title": escape,
        "facts": escape,
        "card": escape,
        "card_json": within_json(escape),
    }
    rate = Rate(4, 1.0)
    over_http = True

    @classmethod
    def filled_by(cls, file: str) -> str:
        """Return what a template fills: a card as JSON, or else the text."""
        return "card_json" if file.lower().endswith(".json.j2") else cls.main_field

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Hand one card to the workflow."""
        body = json_body(payload(self.action(message)))
        headers = {"Content-Type": "application/json"}
        url = self.options.workflow_url.reveal()
        try:
            answer = await http.deliver(Request("POST", url, headers, body, timeout=self.options.timeout))
        except DeliveryFailure as error:
            failure = error
        else:
            return Receipt(answer.status, answer.excerpt)
        raise _sorted(failure)

    def accepted(self, request: Request, number: int) -> Answer:
        """Return what a workflow says when it has begun."""
        return Answer(202, {}, b"")

    def preview(self, content: JsonObject) -> str:
        """Return what is written on the card, as a person reads it."""
        try:
            return "\n".join(written(payload(TeamsAction.model_validate(content))["attachments"]))
        except ValidationError:  # planned by an older version
            return super().preview(content)


def _sorted(failure: DeliveryFailure) -> DeliveryFailure:
    """Return what a refusal means, by Power Automate's word for it."""
    told = object_in(failure.excerpt.encode()).get("error")
    word = told.get("code") if isinstance(told, dict) else None
    if not isinstance(word, str) or isinstance(failure, TransientFailure | UnknownOutcome):
        return failure
    hint = NO_WORKFLOW.get(word)
    kind = AccessRefused if hint or isinstance(failure, AccessRefused) else PermanentFailure
    reason = f"the workflow refused the message: {word}" + (f" ({hint})" if hint else "")
    return kind(reason, status=failure.status, excerpt=failure.excerpt)
