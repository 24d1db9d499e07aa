"""Names of links in the counts that quality keeps for its trend."""

from collections.abc import Iterator

from apps.changesets.names import Renaming, rewrite, rows_in
from apps.quality.models import Tally


class QualityNames:
    """The coverage of links, kept under `airports.airport.country`."""

    def carry(self, renaming: Renaming) -> None:
        """Let the trend of a link go on under its new name."""
        old, new = f"{renaming.label}.{renaming.old}", f"{renaming.label}.{renaming.new}"
        tallies = rows_in(Tally, renaming.using, "coverage").filter(coverage__has_key=old)
        rewrite(tallies, "coverage", lambda of: {new if key == old else key: value for key, value in of.items()})

    def strays(self, using: str) -> Iterator[str]:
        """Yield nothing: a trend tells what was."""
        yield from ()


KEEPER = QualityNames()
