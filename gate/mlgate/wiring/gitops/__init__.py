"""A release that another tool brings to the cluster, composed."""
