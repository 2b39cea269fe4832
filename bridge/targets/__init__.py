"""Targets: one module per service; the file name is the ``type:`` in routes.yaml."""
