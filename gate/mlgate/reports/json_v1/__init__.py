"""The report as JSON, version 1: a frozen form of its own."""
