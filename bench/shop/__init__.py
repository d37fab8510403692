"""A shop's own site: 100 payments, each notified eight times at once, with cauri-shop and with django-payments.

Run ``python -m bench.shop``; docs/benchmarks-shop.md explains it.
"""
