"""Numbers from text: per-example statistics and the corpus value of their sums. No thresholds, models or files."""
