"""Composition, and nothing else: which adapter goes where. It knows config and adapters."""
