"""The command line: one module per command in ``commands``; the rest is what they share."""
