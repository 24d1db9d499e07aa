"""The pages of the second factor."""
