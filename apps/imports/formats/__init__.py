"""The kinds of files that are read, one module each, and how it is found out which one a file is."""
