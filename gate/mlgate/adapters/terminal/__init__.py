"""Lines for a person."""
