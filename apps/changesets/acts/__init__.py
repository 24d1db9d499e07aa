"""Acts that a person confirms, and the one flow of their pages: plan, reason, apply, result."""
