"""The verbs of attestation."""
