"""Files of examples, whatever their format."""
