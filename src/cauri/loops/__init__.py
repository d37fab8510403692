"""Background loops: each is one tick, run again and again; every tick works by leases in the database."""
