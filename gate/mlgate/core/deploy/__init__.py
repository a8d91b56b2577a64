"""A model's way onto a cluster: what is released, how far it may go, and what is remembered."""
