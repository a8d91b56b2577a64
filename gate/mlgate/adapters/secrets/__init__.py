"""The secrets of a run, and what takes them out of everything that is kept or shown."""
