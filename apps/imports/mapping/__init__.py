"""Mapping: which columns of a file fill which fields."""
