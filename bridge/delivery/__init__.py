"""From stored events to delivered messages: dispatch, work, retry, rescue, replay, explain."""
