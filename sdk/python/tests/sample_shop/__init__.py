"""A small typed shop: mypy --strict reads it as a user's code (test_sample_shop_types.py), and its own tests really pay."""
