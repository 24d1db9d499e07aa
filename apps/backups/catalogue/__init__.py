"""The catalogue: backups as files, each with its manifest; where they are and how long they stay."""
