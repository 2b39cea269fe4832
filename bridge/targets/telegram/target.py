"""The telegram target: one message of a bot, or what takes the place of an earlier one."""

from bridge.component import Answer, Http, Links, Request, Target
from bridge.component.http import json_body
from bridge.component.kept_message import KeptMessage
from bridge.errors import UnknownOutcome
from bridge.model import JsonObject, Message, Rate, Receipt
from bridge.targets.telegram.api import NO_EDIT, NOT_MODIFIED, NOT_PARSED, RefusedError, call, result_of
from bridge.targets.telegram.options import ID, TelegramAction, TelegramOptions
from bridge.targets.telegram.text import cut, escape, plain, plain_cut


class Telegram(Target[TelegramOptions, TelegramAction]):
    """Sends messages as a bot of Telegram.

    With ``update`` the first message of a key leaves a link with its id, and later ones take its place. A bot knows no
    idempotency key and cannot read what it sent: a message whose answer was lost may come twice.
    """

    Options = TelegramOptions
    Action = TelegramAction
    escapes = {"text": escape}  # noqa: RUF012 (a ClassVar of the base)
    key_fields = frozenset({"update"})
    rate = Rate(20, 60.0)
    """What a group takes, which is the narrowest of Telegram's limits."""
    over_http = True

    def __init__(self, name: str, options: TelegramOptions) -> None:
        """Prepare to send; no chat has moved yet."""
        super().__init__(name, options)
        self._moved: dict[str, str] = {}

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Send one message, or put it in the place of its key's."""
        action = self.action(message)
        kept = await KeptMessage(self.name, action.update, self._place(action)).found(links)
        said: JsonObject = {"text": cut(action.text), "parse_mode": "HTML"}
        try:
            return await self._settled(kept, action, said, http)
        except RefusedError as refusal:
            words, failure = refusal.words, refusal.failure
        if NOT_PARSED in words:
            return await self._plain(kept, action, http)
        raise failure

    def bucket(self, content: JsonObject) -> str:
        """Return the chat, if it is not the target's own: Telegram counts messages per chat."""
        chat = content.get("chat")
        return str(chat) if chat and str(chat) != self.options.chat else ""

    def upserts(self, content: JsonObject) -> bool:
        """Tell whether a message takes the place of the one before it."""
        return content.get("update") is not None

    def link_key(self, message: Message) -> str | None:
        """Return the key whose message is changed."""
        return self.action(message).update

    async def probe(self, http: Http) -> str:
        """Ask whose token it is, and what the chat is called."""
        try:
            bot = result_of(await call(self.options, "getMe", {}, http))
            chat = result_of(await call(self.options, "getChat", {"chat_id": _id(self.options.chat)}, http))
        except RefusedError as refusal:
            failure = refusal.failure
        else:
            return f"writes as @{bot.get('username')} to {_called(chat)}"
        raise failure

    def accepted(self, request: Request, number: int) -> Answer:
        """Return a message as Telegram keeps it."""
        return Answer(200, {}, json_body({"ok": True, "result": {"message_id": number}}))

    def preview(self, content: JsonObject) -> str:
        """Return the text as a person reads it, below the chat if the entry names one."""
        chat = content.get("chat")
        where = [f"in {chat}"] if chat else []
        return "\n".join([*where, plain(super().preview(content))])

    def _place(self, action: TelegramAction) -> JsonObject:
        return {"chat": self.options.chat if action.chat is None else action.chat}

    async def _plain(self, kept: KeptMessage, action: TelegramAction, http: Http) -> Receipt:
        """Send a message without its markup, which Telegram cannot read."""
        try:
            receipt = await self._settled(kept, action, {"text": plain_cut(action.text)}, http)
        except RefusedError as refusal:
            failure = refusal.failure
        else:
            note = f"sent as plain text after: {NOT_PARSED}"
            return Receipt(receipt.status, f"{note}; {receipt.excerpt}", receipt.links)
        raise failure

    async def _settled(self, kept: KeptMessage, action: TelegramAction, said: JsonObject, http: Http) -> Receipt:
        """Put a message in the place of the one before it; where that cannot be changed, send it anew."""
        told: JsonObject = {**said, "link_preview_options": {"is_disabled": not action.unfurl}}
        if kept.id is not None and (changed := await self._changed(kept.id, action, told, http)):
            return changed
        topic = self.options.topic if action.chat in {None, self.options.chat} else None
        more: JsonObject = {"message_thread_id": topic} if topic else {}
        body: JsonObject = {**told, **more, "disable_notification": action.silent}
        answer = await self._to_chat("sendMessage", action, body, http)
        number = result_of(answer).get("message_id")
        if not isinstance(number, int):
            raise UnknownOutcome("the answer is not one of Telegram's", status=answer.status, excerpt=answer.excerpt)
        return Receipt(answer.status, answer.excerpt, kept.links(str(number)))

    async def _changed(self, id_: str, action: TelegramAction, told: JsonObject, http: Http) -> Receipt | None:
        """Change a message; None if it is gone, or too old for it."""
        try:
            answer = await self._to_chat("editMessageText", action, {**told, "message_id": int(id_)}, http)
        except RefusedError as refusal:
            if NOT_MODIFIED in refusal.words:
                return Receipt(refusal.failure.status, NOT_MODIFIED)
            if any(each in refusal.words for each in NO_EDIT):
                return None
            raise
        return Receipt(answer.status, answer.excerpt)

    async def _to_chat(self, method: str, action: TelegramAction, body: JsonObject, http: Http) -> Answer:
        """Call a method about a chat, and once more where it has moved: a group that grows gets another id."""
        chat = self.options.chat if action.chat is None else action.chat
        own = chat == self.options.chat
        goes_to = self._moved.get(chat, chat)
        try:
            return await call(self.options, method, {"chat_id": _id(goes_to), **body}, http, own=own)
        except RefusedError as refusal:
            if refusal.moved_to is None or refusal.moved_to == goes_to:
                raise
            self._moved[chat] = moved_to = refusal.moved_to
        return await call(self.options, method, {"chat_id": _id(moved_to), **body}, http, own=own)


def _id(chat: str) -> int | str:
    return int(chat) if ID.fullmatch(chat) else chat


def _called(chat: JsonObject) -> str:
    for name in ("title", "username", "first_name", "id"):
        if chat.get(name):
            return f'"{chat[name]}"'
    return "the chat"
