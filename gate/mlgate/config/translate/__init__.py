"""From sections to what the core asks and judges."""
