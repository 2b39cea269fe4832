"""Receives CRM webhooks, knows what changed, and delivers messages by the rules of ``routes.yaml``."""
