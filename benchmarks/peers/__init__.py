"""The three tables as projects without the console would have them, and what their packages take for the same work."""
