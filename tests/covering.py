"""With `-p tests.covering`, a run of tests says how much of apps/ and travelmathlite/ it went through.

SlipCover puts probes into our modules when they are imported. What traces Python 3.11 instead, as coverage.py does,
makes every line of every package slow, and the whole run take two thirds longer.
"""

import sys

import pytest

try:
    from slipcover import FileMatcher, ImportManager, Slipcover
except ModuleNotFoundError:
    # There is no build of it for Linux on ARM.
    Slipcover = None

SOURCE = ["apps", "travelmathlite"]
OMIT = ["*/migrations/*"]
# It takes no probe out before so many passes, that is never: to look for all who hold a function takes longer.
NEVER = 10**9
early = [name for name in sys.modules if name.partition(".")[0] in SOURCE]
if Slipcover is not None:
    probes = Slipcover(branch=True, source=SOURCE, omit=OMIT, d_miss_threshold=NEVER)
    ImportManager(probes, FileMatcher(sources=SOURCE, omit=OMIT)).__enter__()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the shares at the end of the run."""
    if Slipcover is None or early:
        terminalreporter.write_line(f"Coverage was not measured: {early or 'there is no SlipCover here'}")
        return
    found = probes.get_coverage()["summary"]
    shares = {
        what: 100 * found[f"covered_{what}"] / (found[f"covered_{what}"] + found[f"missing_{what}"])
        for what in ("lines", "branches")
    }
    terminalreporter.write_line(
        "Of apps/ and travelmathlite/, the tests went through"
        f" {shares['lines']:.1f} % of the lines and {shares['branches']:.1f} % of the branches"
    )
