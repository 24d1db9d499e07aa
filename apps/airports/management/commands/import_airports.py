"""import_airports: bring an OurAirports file in, as one changeset."""

import json
import sys
import time
from argparse import ArgumentParser
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from apps.airports.ourairports import CORRECTIONS, OURAIRPORTS, SOURCE, URL
from apps.changesets.errors import ChangesetError
from apps.changesets.models import Changeset
from apps.imports.applying import apply_import
from apps.imports.errors import ImportFailure
from apps.imports.planning import ImportPlan, plan_import
from apps.imports.report import lines_for_people, progress_on
from apps.imports.results import ImportOptions
from apps.imports.sources import SourceFile, from_path, from_url

BUNDLED = settings.BASE_DIR / "data" / "ourairports-2022-10-11.csv.gz"
_JSON_KEYS = (
    *("total", "created", "updated", "renamed", "unchanged", "skipped", "refused", "kept", "missing"),
    *("country_links", "countries_created", "city_links", "cities_created"),
)


class Command(BaseCommand):
    help = "Import airports from an OurAirports file as one changeset, which rollback_airports can undo."

    def add_arguments(self, parser: ArgumentParser) -> None:
        source = parser.add_mutually_exclusive_group()
        source.add_argument("--bundled", action="store_true", help="the snapshot of October 2022 that comes with this")
        source.add_argument("--file", metavar="PATH", help="a CSV file, plain or gzip")
        source.add_argument("--url", nargs="?", const=URL, help=f"an https address; without a source: {URL}")
        parser.add_argument(
            "--source", choices=(SOURCE, CORRECTIONS), default=SOURCE, metavar="NAME",
            help=f"{SOURCE} (a snapshot of upstream, the default) or {CORRECTIONS} (values corrected by hand: "
            "blank cells are left alone)",
        )  # fmt: skip
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen")
        parser.add_argument("--filter-iata", action="store_true", help="leave out rows without an IATA code")
        parser.add_argument("--country", metavar="XX", help="leave out rows of other countries")
        parser.add_argument("--limit", type=_positive, metavar="N", help="take the first N rows that are not left out")
        parser.add_argument("--skip-country-link", action="store_true", help="link no country, and so no city either")
        parser.add_argument("--skip-city-link", action="store_true", help="link no city")
        parser.add_argument(
            "--on-local-edit", choices=("keep", "overwrite", "abort"), default="keep",
            help="what to do with values that were corrected here and changed upstream since (default: keep)",
        )  # fmt: skip
        parser.add_argument(
            "--missing", choices=("report", "deactivate", "delete"), default="report",
            help="what to do with airports that the file does not have (default: report)",
        )  # fmt: skip
        parser.add_argument("--strict", action="store_true", help="refuse the whole file when a row is refused")
        parser.add_argument("--reason", default="", help="why, for the changeset")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        progress = progress_on(sys.stderr)
        opened = None
        try:
            with _source(options) as source:
                plan = plan_import(source, spec=OURAIRPORTS, options=_import_options(options), progress=progress)
            if options["dry_run"]:
                plan.discard()
            else:
                opened = apply_import(plan, actor=None, reason=options["reason"])
        except (ImportFailure, ChangesetError) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            said = " ".join(str(error).split())
            raise CommandError(
                f"Nothing was imported, the database says: {said}. Has manage.py migrate run?"
            ) from error
        finally:
            if progress:
                progress("done", 0)
        self._tell(plan, opened, options, duration=time.monotonic() - started)

    def _tell(self, plan: ImportPlan, opened: Changeset | None, options: dict[str, Any], *, duration: float) -> None:
        counts = opened.summary["counts"] if opened else plan.counts.as_dict()
        if options["json"]:
            numbers = {key: counts[key] for key in _JSON_KEYS}
            result = {"changeset": opened.pk if opened else None, **numbers, "duration_s": round(duration, 3)}
            self.stdout.write(json.dumps(result))
            return
        for line in lines_for_people(plan, counts, opened, dry_run=options["dry_run"]):
            self.stdout.write(line)


def _source(options: dict[str, Any]) -> AbstractContextManager[SourceFile]:
    if options["bundled"] or options["file"]:
        return nullcontext(from_path(BUNDLED if options["bundled"] else options["file"]))
    return from_url(options["url"] or URL)


def _import_options(options: dict[str, Any]) -> ImportOptions:
    only = {}
    if options["filter_iata"]:
        only["iata_code"] = bool
    if options["country"]:
        code = options["country"].strip().upper()
        only["iso_country"] = code.__eq__
    skipped = {"country", "city"} if options["skip_country_link"] else {"city"} if options["skip_city_link"] else ()
    return ImportOptions(
        corrections=options["source"] == CORRECTIONS,
        on_local_edit=options["on_local_edit"],
        missing=options["missing"],
        strict=options["strict"],
        limit=options["limit"],
        only=only,
        skip_links=frozenset(skipped),
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number
