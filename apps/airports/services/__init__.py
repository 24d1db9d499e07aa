"""The services that the runbook calls by name."""
