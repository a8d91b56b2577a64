"""The files that mlgate writes and reads."""
