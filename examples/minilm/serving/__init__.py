"""A summarizer with a real network, behind a real KServe server. `python -m serving.server` starts it."""
