"""Mistakes in a manifest that the server accepts. `advice.py` asks every rule."""
