"""Text as Unicode and JSON have it: one form to compare, one text of a scalar, what looks alike."""
