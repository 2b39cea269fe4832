"""Change detection, matching and planning: pure, from an event and a last state to deliveries."""
