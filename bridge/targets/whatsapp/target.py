"""The whatsapp target: one message to one number, through the Cloud API."""

from pydantic import ValidationError

from bridge.component import Answer, Http, Links, Request, Target
from bridge.component.http import json_body
from bridge.component.reading import object_in
from bridge.errors import DeliveryFailure, UnknownOutcome
from bridge.model import JsonObject, Message, Rate, Receipt
from bridge.targets.whatsapp.options import WhatsappAction, WhatsappOptions
from bridge.targets.whatsapp.refusals import WINDOW_CLOSED, code_of, sorted_refusal
from bridge.targets.whatsapp.saying import EMPTY, free, number, templated


class Whatsapp(Target[WhatsappOptions, WhatsappAction]):
    """Sends approved templates, and free texts while the recipient's last message is not a day old.

    WhatsApp knows no idempotency key: a message whose answer was lost may come twice. What becomes of a message that it
    accepted, WhatsApp tells nobody but a webhook of its own.
    """

    Options = WhatsappOptions
    Action = WhatsappAction
    rate = Rate(1, 6.0)
    """What one recipient may get."""
    over_http = True

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Send a text, or a template; where both are there, the template if the time for the text is over."""
        action = self.action(message)
        to = number(action.recipient, self.options.country)
        if action.text is None:
            return await self._sent(to, templated(action, self.options), http)
        try:
            return await self._sent(to, free(action), http)
        except DeliveryFailure as error:
            failure = error
        if code_of(failure) != WINDOW_CLOSED or action.template_name is None:
            raise failure
        receipt = await self._sent(to, templated(action, self.options), http)
        return Receipt(receipt.status, f"sent as a template after {WINDOW_CLOSED}; {receipt.excerpt}")

    def bucket(self, content: JsonObject) -> str:
        """Return the recipient: WhatsApp counts the messages to each."""
        return "".join(filter(str.isdigit, str(content.get("recipient"))))

    async def probe(self, http: Http) -> str:
        """Ask for the phone number that sends."""
        url = f"{self._address}?fields=display_phone_number,verified_name"
        request = Request("GET", url, self._headers, timeout=self.options.timeout)
        told = object_in((await self._called(request, http)).body)
        return f'sends as "{told.get("verified_name")}", {told.get("display_phone_number")}'

    def accepted(self, request: Request, number: int) -> Answer:
        """Return a message as WhatsApp accepts it."""
        return Answer(200, {}, json_body({"messaging_product": "whatsapp", "messages": [{"id": f"wamid.{number}"}]}))

    def preview(self, content: JsonObject) -> str:
        """Return the text, and the template with its values; the words of the template are known to WhatsApp alone."""
        try:
            action = WhatsappAction.model_validate(content)
        except ValidationError:  # planned by an older version
            return super().preview(content)
        values = [*([action.header] if action.header else []), *(each or EMPTY for each in action.parameters or [])]
        template = f"[{action.template_name}] {', '.join(values)}".rstrip() if action.template_name else None
        return "\n".join(filter(None, [f"to {action.recipient}", action.text, template]))

    @property
    def _address(self) -> str:
        return f"{self.options.api_url}/{self.options.phone_number_id}"

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.options.token.reveal()}"}

    async def _sent(self, to: str, said: JsonObject, http: Http) -> Receipt:
        body: JsonObject = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": to, **said}
        headers = {**self._headers, "Content-Type": "application/json"}
        request = Request("POST", f"{self._address}/messages", headers, json_body(body), timeout=self.options.timeout)
        answer = await self._called(request, http)
        if not object_in(answer.body).get("messages"):
            raise UnknownOutcome("the answer is not one of WhatsApp's", status=answer.status, excerpt=answer.excerpt)
        return Receipt(answer.status, answer.excerpt)

    async def _called(self, request: Request, http: Http) -> Answer:
        """Return the answer that accepts a request; raises DeliveryFailure, sorted by WhatsApp's number."""
        try:
            return await http.deliver(request)
        except DeliveryFailure as error:
            failure = error
        raise sorted_refusal(failure)
