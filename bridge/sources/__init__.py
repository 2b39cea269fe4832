"""Sources: one module per type; the file name is the ``type:`` in routes.yaml."""
