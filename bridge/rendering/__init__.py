"""Sandboxed Jinja2: environment, filters, templates, and the names they see."""
