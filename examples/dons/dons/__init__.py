"""A donation site in FastAPI: nothing is delivered, so the gateway need not call it; it asks when somebody looks."""
