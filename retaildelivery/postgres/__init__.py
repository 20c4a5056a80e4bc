"""Django's PostgreSQL backend, but for what is said in `base`."""
