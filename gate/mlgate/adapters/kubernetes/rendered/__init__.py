"""A release as files, for who applies manifests by another tool."""
