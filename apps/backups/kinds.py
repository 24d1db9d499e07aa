"""The kinds of backups, and which driver makes and restores each."""

from apps.backups.drivers import NATIVE, PORTABLE, Driver
from apps.backups.errors import UnknownKind

FULL = "full"
DATA = "data"
INCREMENTAL = "incremental"
# Backups of one object have a folder and a catalogue of their own: apps.backups.objects.
OBJECT = "object"
BEFORE_IMPORT = "before-import"
BEFORE_BULK = "before-bulk"
BEFORE_MIGRATION = "before-migration"
BEFORE_RESTORE = "before-restore"

# Made automatically before an act that may go wrong.
AUTOMATIC = (BEFORE_IMPORT, BEFORE_BULK, BEFORE_MIGRATION, BEFORE_RESTORE)
# In the database's own format; each other kind has a portable driver of its own.
NATIVE_KINDS = (FULL, *AUTOMATIC)


def kinds() -> tuple[str, ...]:
    """Return the kinds of backups of the database that can be made."""
    return (*NATIVE_KINDS, *PORTABLE)


def driver_for(kind: str, engine: str) -> Driver:
    """Return what makes and restores backups of this kind on this engine (`sqlite`, `postgresql`).

    Raises UnknownKind for a kind or an engine that is none.
    """
    if engine not in NATIVE:
        raise UnknownKind(f"There is no driver for databases of {engine!r}: use one of {', '.join(NATIVE)}.")
    if kind in NATIVE_KINDS:
        return NATIVE[engine]
    if kind in PORTABLE:
        return PORTABLE[kind]
    raise UnknownKind(f"There is no backup of kind {kind!r}: use one of {', '.join(kinds())}.")
