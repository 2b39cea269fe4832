"""The calendar_feed target: one entry a key in a calendar that bridge serves, kept in the link of the key."""

from zoneinfo import ZoneInfo

from bridge.component import Http, Links, Target
from bridge.model import JsonObject, Message, Receipt, made_at
from bridge.targets.calendar_feed.entry import Wanted
from bridge.targets.calendar_feed.options import CalendarFeedAction, CalendarFeedOptions


class CalendarFeed(Target[CalendarFeedOptions, CalendarFeedAction]):
    """Keeps one entry a key: makes it, changes it, cancels it and brings it back.

    Nothing leaves: the entry is what the receipt's link holds, so it is in the feed as soon as the delivery is
    recorded, and whoever subscribes comes for it.
    """

    Options = CalendarFeedOptions
    Action = CalendarFeedAction
    main_field = "description"
    over_http = True
    """Nothing that it does goes another way."""
    idempotent = True

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Bring the entry of the message's key to what it says."""
        wanted = Wanted(self.action(message), ZoneInfo(self.options.timezone), made_at(message.delivery_id))
        link = wanted.kept(self.name, message.key, await links.find(message.key))
        return Receipt(None, "it is in the feed", (link,)) if link else Receipt(None, "there is no entry to cancel")

    def upserts(self, content: JsonObject) -> bool:
        """Tell that each message replaces what the one before it said of its entry."""
        return True

    def link_key(self, message: Message) -> str:
        """Return the message's own key, which has one entry."""
        return message.key

    async def probe(self, http: Http) -> str:
        """Tell where it is served; nobody needs to be asked."""
        return f"is served at /feeds/{self.name}/…, to who knows one of {len(self.options.secrets)} secrets"

    def preview(self, content: JsonObject) -> str:
        """Return the entry as calendars show it."""
        action = CalendarFeedAction.model_validate(content)
        span = action.when(ZoneInfo(self.options.timezone))
        said = (
            f"({action.status})" if action.status != "confirmed" else None,
            action.summary,
            str(span) if span else None,
            action.location,
            action.url,
            action.description,
        )
        return "\n".join(filter(None, said))
