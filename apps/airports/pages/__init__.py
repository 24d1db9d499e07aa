"""What airports add to the pages of the admin."""
