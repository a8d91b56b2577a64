"""GitHub: its API, and a step of GitHub Actions."""
