"""MLflow: runs, registered models, and evidence that is kept there."""
