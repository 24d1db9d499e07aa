"""A small app of another domain, railways, as CONTRIBUTING.md makes one; what knows no airport is tested on it."""
