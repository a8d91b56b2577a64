"""Timed load: what it is measured by, one block of it, its rounds, its generator, and text that comes in pieces."""
