"""The composition root: settings, logs, servers, reload, and the daemon that owns them."""
