"""`python -m tests.torture`: kills, ended sessions, full disks and two acts at once."""

import sys

from tests.torture.frame import main

if __name__ == "__main__":
    sys.exit(main("tests.torture", ["kill", "terminate", "pairs", "full disk", "editors"], trials=260))
