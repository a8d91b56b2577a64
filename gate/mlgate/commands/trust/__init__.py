"""The verdict, attested and verified."""
