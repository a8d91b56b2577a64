"""A report in Markdown: for a job summary and for a comment."""
