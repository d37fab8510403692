"""The merchants' door: the two endpoints, the operators' callbacks, the documentation, the health."""
