"""What is done to many places at once."""
