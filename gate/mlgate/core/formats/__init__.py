"""Formats of data files: what a name tells of them, and what to do with those that are not read."""
