"""What `mlgate deploy`, `status`, `reconcile` and `rollback` do."""
