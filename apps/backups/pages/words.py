"""Backups in words: their kinds, states and sizes as the pages show them."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.backups.catalogue.manifests import Backup
from apps.backups.kinds import BEFORE_BULK, BEFORE_IMPORT, BEFORE_MIGRATION, BEFORE_RESTORE, DATA, FULL, INCREMENTAL
from apps.changesets.text import counted

KINDS = {
    FULL: "Full",
    DATA: "Portable data",
    INCREMENTAL: "Increment",
    BEFORE_IMPORT: "Before an import",
    BEFORE_BULK: "Before a bulk action",
    BEFORE_MIGRATION: "Before a migration",
    BEFORE_RESTORE: "Before a restore",
}
# What people ask for, and what it is good for.
ASKED_FOR = {
    FULL: "everything, as the database itself keeps it: the quickest to make and to restore",
    DATA: "everything as portable data: slower, and moves between SQLite and PostgreSQL",
    INCREMENTAL: "what changed since the newest full backup: small, and restored together with it",
}
# sign, word, colour.
_PROOFS = {
    "good": ("✓", "verified", "created"),
    "bad": ("×", "not good", "refused"),  # noqa: RUF001 - the sign of refusal
    "unknown": ("?", "not verified", "kept"),
}


def kind_words(backup: Backup) -> str:
    """Return what sort of backup it is."""
    words = KINDS.get(backup.kind, backup.kind)
    if not backup.tables:
        return words
    return f"{words}, {counted(len(backup.tables), 'table')} only"


def proof(backup: Backup) -> SafeString:
    """Return with its sign whether the backup is proved to restore."""
    sign, word, colour = _PROOFS["good" if backup.verified_at else "bad" if backup.is_bad else "unknown"]
    return format_html('<span class="op op-{}"><b>{}</b> {}</span>', colour, sign, word)
