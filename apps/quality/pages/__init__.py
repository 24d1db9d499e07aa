"""The pages of findings in the admin."""
