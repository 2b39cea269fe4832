"""What Slack would answer, for tests of rules."""

from yarl import URL

from bridge.component import Answer, Request
from bridge.component.http import json_body
from bridge.model import JsonObject
from bridge.targets.slack.options import SlackOptions


def played(options: SlackOptions, request: Request, number: int) -> Answer:
    """Return what Slack says when it accepts; asked for messages it has none, asked for people it has everybody."""
    if options.webhook_url:
        return Answer(200, {}, b"ok")
    file = f"F{number:06}"
    posted: JsonObject = {"ok": True, "channel": options.channel, "ts": f"1700000000.{number:06}"}
    replies: dict[str, JsonObject] = {
        "chat.postMessage": posted,
        "chat.update": posted,
        "reactions.add": {"ok": True},
        "users.lookupByEmail": {"ok": True, "user": {"id": f"U{number:06}"}},
        "files.getUploadURLExternal": {
            "ok": True,
            "upload_url": str(URL(options.api_url).with_path(f"/upload/v1/{file}")),
            "file_id": file,
        },
        "files.completeUploadExternal": {"ok": True, "files": [{"id": file}]},
    }
    method = request.url.rpartition("/")[2]
    return Answer(200, {}, json_body(replies.get(method, {"ok": True, "messages": []})))
