"""What one verb does with what wiring composed: compose, one flow call, finish."""
