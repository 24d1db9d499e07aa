"""validate_airports: count the findings of airports, cities and countries, and the links."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from apps.changesets.management.sentences import InOneSentence
from apps.quality.coverage import share_of
from apps.quality.findings import by_severity
from apps.quality.report import lines_for_people
from apps.quality.rules import Severity
from apps.quality.tallies import take_tally

LINKS = {"country": "Normalized Country links", "city": "Normalized City links"}
COVERAGE = "airports.airport"


class Command(InOneSentence):
    help = "Look for what is wrong with the data, by rule, and say how many airports are linked to country and city."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--fail-on", choices=("error", "warning"), help="exit 1 when there are findings so bad, or worse"
        )
        parser.add_argument("--verbose", action="store_true", help="name every finding, not only the first ones")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        tally = take_tally()
        _linked, airports = tally.coverage[f"{COVERAGE}.country"]
        if options["json"]:
            shares = {f"{field}_coverage": share_of(*tally.coverage[f"{COVERAGE}.{field}"]) for field in LINKS}
            self.stdout.write(json.dumps({"airports": airports, "findings": tally.counts, **shares}))
        else:
            self.stdout.write(f"{airports:,} airports\n\n")
            for line in lines_for_people(tally.counts, tally.accepted, links=LINKS, every=options["verbose"]):
                self.stdout.write(line)
        if options["fail_on"]:
            self._fail(tally.counts, options["fail_on"])

    def _fail(self, counts: dict[str, int], threshold: str) -> None:
        findings = by_severity(counts)
        bad = findings[Severity.ERROR] + (findings[Severity.WARNING] if threshold == "warning" else 0)
        if bad:
            kinds = "errors" if threshold == "error" else "errors and warnings"
            raise CommandError(
                f"{bad:,} findings are {kinds}: mend them, or accept those that are known, under Findings in the admin."
            )
