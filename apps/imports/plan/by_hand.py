"""The value that a correction gives a field; a value that only lost precision in the file is no correction.

A file holds less than the table: text loses the spaces at its ends and is made plain, NULL and empty text are both
blank, and a spreadsheet writes 15 or 16 digits of a number that has 17. A coordinate with other digits beyond a
centimetre is the same point. Such a cell keeps the live value: otherwise exporting a file
and importing it again would change objects.
"""

from django.db import models

from apps.imports.staging.tables import Staging

# More than rounding to 15 digits moves a number below 1000.
_ROUNDED = 1e-12
# About a centimetre, in degrees.
_SAME_POINT = 1e-7
# What str.strip() takes off; no quote, brace or percent sign is among it.
_SPACES = "".join(filter(str.isspace, map(chr, range(0x3001))))


def by_hand(staging: Staging, field: str) -> str:
    """Return the SQL for the value that the staged row `s` of corrections gives a field of the live row `l`."""
    staged, live = staging.staged(field), f"l.{staging.column(field)}"
    # A blank key never clears the key: the row is about that object all the same.
    keeps = staging.layout.sparse or field in staging.spec.key_fields
    value = f"COALESCE({staged}, {live})" if keeps else staged
    same = _same(staging, field, staged, live)
    return f"CASE WHEN {same} THEN {live} ELSE {value} END" if same else value


def _same(staging: Staging, field: str, staged: str, live: str) -> str:
    kind = staging.spec.model._meta.get_field(field)
    if isinstance(kind, models.FloatField):
        nearest = _SAME_POINT if field in (staging.spec.model.tracking.point or ()) else _ROUNDED
        return f"ABS({staged} - {live}) <= {nearest}"
    if isinstance(kind, models.CharField | models.TextField):
        trimmed = f"TRIM(COALESCE({live}, ''), '{_SPACES}')"
        made_plain = f"TRIM({staging.plain(live)}, '{_SPACES}')"
        return f"({trimmed} = COALESCE({staged}, '') OR {made_plain} = COALESCE({staged}, ''))"
    return ""
