"""`python -m benchmarks`: the console, the floor and packages of others side by side; writes docs/performance.md."""

import argparse
import os
import secrets
import signal
import sys
import tempfile
from pathlib import Path

from benchmarks.cluster import database_server, postgresql_is_here
from benchmarks.figures import RESULTS, Kept, about_machine, version_of_server
from benchmarks.parts import PARTS, RESUMED, SLOW
from benchmarks.run import BUNDLED, NEWER, Run, write_sample

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
WITHOUT = f"without it all but {', '.join(SLOW)}, which take long"
NO_UPDATE = "There is no newer snapshot at {path}: what needs one is left out; --update names one."


def main() -> int:
    """Measure the parts asked for, and write the page of all that has been measured."""
    options, failed = parse(), 0
    # Who is told to stop takes servers and folders away first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped; what has been measured is kept."))
    if not options.page_only:
        with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
            os.chmod(folder, 0o755)
            failed = measure(options, Path(folder))
    if not options.quick:
        from benchmarks.report import page_of

        PAGE.write_text(page_of(Kept(options.results)), encoding="utf-8")
        print(f"Written: {PAGE}")
    return 1 if failed else 0


def parse() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, help=f"only these parts; {WITHOUT}")
    parser.add_argument("--databases", nargs="+", choices=["SQLite", "PostgreSQL"], default=["SQLite", "PostgreSQL"])
    parser.add_argument("--rounds", type=int, default=3, help="medians are over this many rounds (default: 3)")
    parser.add_argument("--sizes", nargs="+", type=int, help="rows of the part growth (default: 10000 100000)")
    parser.add_argument("--renew", action="store_true", help="measure anew what a slow part has measured already")
    parser.add_argument("--quick", action="store_true", help="try every part on a few rows; measures nothing")
    parser.add_argument("--page-only", action="store_true", help="write the page of what has been measured")
    parser.add_argument("--update", type=Path, default=NEWER, help="a newer packed airports.csv")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder of what has been measured")
    return parser.parse_args()


def measure(options: argparse.Namespace, scratch: Path) -> int:
    """Measure part by part on one database after the other; return how many failed."""
    os.environ |= {"BACKUP_DIR": str(scratch / "backups"), "BENCHMARK_FOLDER": str(scratch), "VAR_DIR": str(scratch)}
    os.environ["BENCHMARK_SECRET"] = secrets.token_hex(32)
    update = options.update if options.update.exists() else None
    if update is None:
        print(NO_UPDATE.format(path=options.update), file=sys.stderr)
    first, about = BUNDLED, about_machine()
    if options.quick:
        first = write_sample(scratch / "first.csv.gz", BUNDLED, 150)
        update = write_sample(scratch / "update.csv.gz", update, 150) if update else None
    failed = 0
    for database in options.databases:
        if database == "PostgreSQL" and not postgresql_is_here():
            print("There is no server of PostgreSQL here: only SQLite is measured.", file=sys.stderr)
            continue
        with database_server(database, scratch) as url:
            run = Run(database, url, scratch, first, update, rounds=1 if options.quick else options.rounds)
            run.quick, run.folder = options.quick, scratch if options.quick else options.results
            run.about = {**about, "versions": {**about["versions"], **version_of_server(url)}}
            run.sizes = options.sizes or ((200, 400) if options.quick else run.sizes)
            run.people = 3 if options.quick else run.people
            for part in options.only or PARTS:
                if part in SLOW and not options.only:
                    continue
                failed += not run.do(part, PARTS[part], resumed=part in RESUMED and not options.renew)
    return failed


if __name__ == "__main__":
    sys.exit(main())
