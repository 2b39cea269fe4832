"""One module per command, each with its ``command``; what is slow to import, a command imports when it runs."""
