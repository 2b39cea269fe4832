"""calendar_feed: a calendar that people subscribe to, which bridge itself serves: no other service is asked."""

from bridge.targets.calendar_feed.options import CalendarFeedAction, CalendarFeedOptions
from bridge.targets.calendar_feed.target import CalendarFeed

__all__ = ["CalendarFeed", "CalendarFeedAction", "CalendarFeedOptions"]
