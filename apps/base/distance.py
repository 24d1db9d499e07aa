"""A place of a file that is far from all that its city is linked with, such as its airports, is another one."""

from apps.base.models import City
from apps.changesets.fields import column_of
from apps.changesets.tracking import Tracked, tracked_models
from apps.imports.plan.distance import haversine, refuse_far
from apps.imports.results import RefusedRows
from apps.imports.staging.tables import Staging

_HINT = "{km} from the nearest of what the city is linked with, such as its airports: it is another one of this name"


def refuse_far_from_linked(staging: Staging) -> RefusedRows:
    """Refuse places that would move their city over 150 km away from everything linked with it that has a position."""
    if not {"latitude", "longitude"} <= staging.layout.fields:
        return RefusedRows(0, [])
    linked = [_distances(staging, tracked, link) for tracked in tracked_models() for link in _links(tracked)]
    if not linked:
        return RefusedRows(0, [])
    return refuse_far(staging, " UNION ALL ".join(linked), point=("latitude", "longitude"), hint=_HINT)


def _links(tracked: Tracked) -> list[str]:
    """Return the columns by which a model that has a position is linked with cities."""
    fields = tracked.model._meta.concrete_fields if tracked.point else []
    return [column_of(field) for field in fields if field.related_model is City]


def _distances(staging: Staging, tracked: Tracked, link: str) -> str:
    latitude, longitude = (f"a.{staging.quote(column)}" for column in tracked.point or ())
    return staging.fill(
        """
        SELECT m.line, {haversine} AS haversine FROM {matched} m
        JOIN {staged} s ON s.line = m.line JOIN {live} l ON l.{pk} = m.old_pk JOIN {linked} a ON a.{link} = l.{pk}
        WHERE s.latitude IS NOT NULL AND s.longitude IS NOT NULL AND {known}
        AND (s.latitude IS DISTINCT FROM l.latitude OR s.longitude IS DISTINCT FROM l.longitude)
        """,
        haversine=haversine("s.latitude", "s.longitude", latitude, longitude),
        linked=staging.quote(tracked.table),
        link=staging.quote(link),
        known=f"{latitude} IS NOT NULL AND {longitude} IS NOT NULL",
    )
