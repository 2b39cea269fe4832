"""The first rules, as ``bridge init`` writes them: what it asks, and the files that come of the answers."""
