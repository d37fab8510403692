"""A small shop that takes its payments with cauri_shop."""
