"""What places add to the pages of the admin."""
