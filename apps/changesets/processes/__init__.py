"""What processes share and wait for: locks, held names, progress, other servers, and how the database may fail them."""
