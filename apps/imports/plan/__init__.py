"""Planning and applying an import, in sets."""
