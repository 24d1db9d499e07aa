"""`python -m tests.matrix`: every address x method x role, and what they write and show; prints the figures.

The database is that of the tests: SQLite, or what DATABASE_URL names.
"""

import argparse
import json
import os
import subprocess
import sys


def main() -> int:
    """Ask what the command line asks for; return what pytest returns."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument("--role", action="append", help="only this role (repeatable)")
    parser.add_argument("--method", action="append", help="only this method (repeatable)")
    parser.add_argument("--address", metavar="TEXT", default="", help="only addresses with this text in name or path")
    asked = parser.parse_args()
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "tests/matrix/test_matrix.py"]
    environment = {**os.environ, "MATRIX": json.dumps(vars(asked))}
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
