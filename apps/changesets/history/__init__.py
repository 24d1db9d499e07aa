"""Reading history: what changed, when, and what stood where; nothing here writes a tracked row."""
