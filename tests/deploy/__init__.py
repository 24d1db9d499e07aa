"""The machine that docs/deploying.md sets up, in a folder of its own, and without systemd."""
