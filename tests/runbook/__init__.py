"""The machinery that runs docs/runbook.md: reading it, worlds to run it in, running its blocks."""
