"""Feeds: what people subscribe to, served beside the webhooks."""
