"""A picture in a channel: uploaded first, which nobody sees, then shared together with what is said.

https://docs.slack.dev/messaging/working-with-files#upload tells the way: an address to upload to, the bytes, and
files.completeUploadExternal, which is the one step that people see, and the only one whose outcome matters.
"""

from typing import Final
from urllib.parse import urlencode

from yarl import URL

from bridge.chart import Chart, described, drawn
from bridge.component import Answer, Http, Request
from bridge.component.http import json_body
from bridge.errors import AccessRefused, TransientFailure, UnknownOutcome
from bridge.model import JsonObject
from bridge.targets.slack.api import FORM, JSON, accepted, answered, reply_of, request_of
from bridge.targets.slack.options import SlackOptions
from bridge.targets.slack.refusals import Wish

MOST_ALT: Final = 1000
"""Characters that Slack takes to describe a picture."""
MOST_TITLE: Final = 250
"""Characters of a file's title; ours, not Slack's."""
UPLOADING: Final = Wish(uploading=True)


def name_of(delivery_id: str) -> str:
    """Return the name of the file of a delivery, by which it can be found in its channel."""
    return f"{delivery_id}.png"


async def upload(options: SlackOptions, chart: Chart, delivery_id: str, http: Http) -> JsonObject:
    """Draw a chart and upload it; return the file as it is to be shared. Nobody sees it yet, nor if it is left at that.

    Raises:
        RefusedError: Slack said why it does not take it.
        DeliveryFailure: as ``Http.deliver``, but for an unknown outcome: uploading once more does no harm.
    """
    picture = await drawn(chart)
    asked = {
        "filename": name_of(delivery_id),
        "length": str(len(picture)),
        "alt_txt": described(chart)[:MOST_ALT],
    }
    request = request_of(options, "files.getUploadURLExternal", FORM, urlencode(asked).encode())
    try:
        place = reply_of(accepted(await answered(request, UPLOADING, http), UPLOADING))
        await http.deliver(_bytes_to(options, place.get("upload_url"), picture))
    except (UnknownOutcome, AccessRefused) as failure:
        # An address that was good for one upload, and is worth another.
        reason = f"the chart was not uploaded: {failure.reason}"
        raise TransientFailure(reason, status=failure.status, excerpt=failure.excerpt) from None
    return {"id": str(place.get("file_id")), "title": chart.title.strip()[:MOST_TITLE] or "chart"}


async def share(options: SlackOptions, payload: JsonObject, http: Http) -> Answer:
    """Share an uploaded file in a channel.

    Raises:
        RefusedError: Slack said why it did not do it.
        DeliveryFailure: as ``Http.deliver``.
    """
    wish = Wish(own_channel=payload["channel_id"] == options.channel, uploading=True)
    request = request_of(options, "files.completeUploadExternal", JSON, json_body(payload))
    return accepted(await answered(request, wish, http), wish)


def _bytes_to(options: SlackOptions, address: object, picture: bytes) -> Request:
    """Return the request that uploads a picture; it bears no token.

    Raises:
        TransientFailure: the address is not one of Slack's, so nothing is sent there.
    """
    url, api = URL(str(address)), URL(options.api_url)
    ours = url.scheme == api.scheme and url.authority == api.authority
    if not ours and not (url.scheme == "https" and (url.host or "").endswith(f".{api.host}")):
        raise TransientFailure("the address that Slack gave to upload the chart to is none of its own")
    headers = {"Content-Type": "image/png"}
    return Request("POST", str(url), headers, picture, timeout=options.timeout, trusted=ours)
