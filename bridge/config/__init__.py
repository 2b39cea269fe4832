"""From routes.yaml to a ruleset, or to every problem at once."""
