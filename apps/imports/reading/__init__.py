"""Reading: bytes of a file to raw rows with line numbers."""
