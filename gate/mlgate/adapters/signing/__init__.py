"""Signatures of attestations: made and verified by well-kept libraries, offline."""
