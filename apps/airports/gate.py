"""The limits of an import of airports, set in the settings: how many it may close, move far, or unlink."""

from dataclasses import dataclass

from django.conf import settings

from apps.airports.models import AirportType
from apps.changesets.history.maps import DEGREE_KM
from apps.imports.staging.tables import Staging

_LINKS = ("country", "city")


@dataclass(frozen=True)
class Share:
    """A number of airports out of all, and the setting that limits its percentage."""

    number: int
    total: int
    verb: str
    setting: str

    @property
    def sentence(self) -> str:
        """The sentence that the limit is exceeded; empty when it is not, or when there is none."""
        limit = getattr(settings, self.setting)
        if limit is None or self.number <= settings.GATE_ALWAYS_ALLOWED:
            return ""
        share = self.number * 100 / self.total
        if share <= limit:
            return ""
        return (
            f"{self.number:,} of {self.total:,} airports would {self.verb} ({share:.1f} %), and {self.setting} allows "
            f"{limit:g} %."
        )


def limits(staging: Staging) -> list[str]:
    """Return a sentence for each limit that the plan exceeds; nothing is written."""
    total = staging.value("SELECT COUNT(*) FROM {live}")
    if not total:
        return []
    shares = [
        Share(_closed(staging), total, "be closed", "GATE_CLOSED_PERCENT"),
        Share(_moved(staging), total, f"move by more than {settings.GATE_MOVED_KM:g} km", "GATE_MOVED_PERCENT"),
    ]
    sentences = [share.sentence for share in shares] + [_dropped(staging, field, total) for field in _LINKS]
    return [sentence for sentence in sentences if sentence]


def _closed(staging: Staging) -> int:
    if settings.GATE_CLOSED_PERCENT is None:
        return 0
    # Airports that are open now and would be closed.
    return staging.value(
        """
        SELECT COUNT(*) FROM {changed} x JOIN {live} l ON l.{pk} = x.old_pk
        WHERE l.airport_type <> '{closed}' AND x.airport_type = '{closed}'
        """,
        closed=AirportType.CLOSED.value,
    )


def _moved(staging: Staging) -> int:
    if settings.GATE_MOVED_PERCENT is None:
        return 0
    km = settings.GATE_MOVED_KM
    # The distance is that of a flat map around the place, the short way round; the cheap condition comes first.
    return staging.value(
        """
        SELECT COUNT(*) FROM (
            SELECT x.latitude_deg - l.latitude_deg AS north, RADIANS((x.latitude_deg + l.latitude_deg) / 2) AS middle,
                   CASE WHEN {east} > 180 THEN 360 - {east} ELSE {east} END AS east
            FROM {changed} x JOIN {live} l ON l.{pk} = x.old_pk
            WHERE ABS(x.latitude_deg - l.latitude_deg) > %s OR {east} > %s
        ) m WHERE POWER(m.north, 2) + POWER(m.east * COS(m.middle), 2) > %s
        """,
        [km / DEGREE_KM / 2, km / DEGREE_KM / 2, (km / DEGREE_KM) ** 2],
        east="ABS(x.longitude_deg - l.longitude_deg)",
    )


def _dropped(staging: Staging, field: str, total: int) -> str:
    """Return the sentence that the share of linked airports would fall too much; empty otherwise."""
    points = settings.GATE_LINK_POINTS
    link = next((candidate for candidate in staging.links if candidate.field == field), None)
    # Links left out by an option are left out on purpose.
    if points is None or link is None or field in staging.options.skip_links:
        return ""
    # The airports that are linked now.
    linked = staging.value("SELECT COUNT({column}) FROM {live}", column=staging.column(field))
    losing, gaining = _unlinked_and_linked(staging, field, link.needs)
    # The new airports, and those of them that are linked.
    created, made = staging.rows(
        "SELECT COUNT(*), COUNT(CASE WHEN w.{want} THEN 1 END) FROM {created} w", want=staging.want(field)
    )[0]
    before = linked * 100 / total
    after = (linked - losing + gaining + made) * 100 / (total + created)
    lost = losing + created - made
    if before - after <= points or lost <= settings.GATE_ALWAYS_ALLOWED:
        return ""
    return (
        f"The airports that are linked to a {field} would fall from {before:.1f} % to {after:.1f} %, and "
        f"GATE_LINK_POINTS allows {points:g} points."
    )


def _unlinked_and_linked(staging: Staging, field: str, needs: tuple[str, ...]) -> tuple[int, int]:
    filled = " AND ".join(f"COALESCE(x.{staging.quote(column)}, '') <> ''" for column in needs)
    # Of the airports to link again: those that lose their link, and those that get their first one.
    return staging.rows(
        """
        SELECT COUNT(CASE WHEN l.{column} IS NOT NULL AND NOT ({filled}) THEN 1 END),
               COUNT(CASE WHEN l.{column} IS NULL AND {filled} THEN 1 END)
        FROM {changed} x JOIN {live} l ON l.{pk} = x.old_pk WHERE x.{want}
        """,
        column=staging.column(field),
        filled=filled,
        want=staging.want(field),
    )[0]
