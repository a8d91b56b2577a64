"""A verdict that others can verify: what is signed, and what a deploy demands of it."""
