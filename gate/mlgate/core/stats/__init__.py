"""Statistics of values in groups and in rounds: intervals, pairing, looks, noise. Knows of metrics alone."""
