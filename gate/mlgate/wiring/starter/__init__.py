"""What a project that begins is made of: a person's own data, and the metrics that suit it."""
