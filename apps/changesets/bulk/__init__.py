"""Actions over many objects at once: each is planned, shown, and done set-based as one changeset."""
