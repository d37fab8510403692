"""Connectors to operators: one file per operator, one shape."""
