"""`python -m tests.fuzz`: bad parameters for every page, bad arguments, damaged files, manifests and backups."""

import sys

from tests.torture.frame import main

if __name__ == "__main__":
    sys.exit(main("tests.fuzz", ["pages", "commands", "files", "documents"], trials=8000))
