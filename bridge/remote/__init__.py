"""What bridge does by a source's own API: it registers webhooks and watches them, looks names up, and closes gaps."""
