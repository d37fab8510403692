"""The admin doors, under ``/admin/``: what an operator of the gateway, its back office and its monitoring ask and decide."""
