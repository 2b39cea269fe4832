"""Receiving webhooks: authenticate, parse, store, answer."""
