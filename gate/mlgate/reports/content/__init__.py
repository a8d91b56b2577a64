"""What several formats share: escaping, numbers, widths, what to do next."""
