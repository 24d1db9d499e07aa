"""What the runbook calls by name."""
