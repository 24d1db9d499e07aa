"""Staging: raw rows to typed values, in tables where SQL can compare them."""
