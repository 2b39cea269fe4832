"""What people ask of the store and the daemon, over a Unix socket or beside a stopped daemon."""
