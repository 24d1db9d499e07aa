"""The recording: the database writes history for the tracked tables.

Triggers copy each inserted, changed or deleted row into simple-history's table, stamped with the open changeset, or
with one of kind `direct` when none is open. Whatever writes (ORM, bulk call, cascade, raw SQL, another program), it is
recorded.
"""

from apps.changesets.recording.install import (
    install_recording,
    is_of_recording,
    recording_problems,
    require_recording,
    uninstall_recording,
)
from apps.changesets.recording.mark import close_mark, open_mark
from apps.changesets.recording.statements import BY_SET

__all__ = [
    "BY_SET",
    "close_mark",
    "install_recording",
    "is_of_recording",
    "open_mark",
    "recording_problems",
    "require_recording",
    "uninstall_recording",
]
