"""Rows of all tables as text that moves between databases: written from one snapshot, loaded in bulk."""
