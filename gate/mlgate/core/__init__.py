"""Values and decisions. Pure: the standard library's values and numpy; no IO, clock, environment or logging."""
