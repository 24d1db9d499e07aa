"""Export: rows of a table to a file."""
