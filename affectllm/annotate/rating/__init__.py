"""Human checks: a page on which people rate items, and their agreement; nothing is imported here."""
