"""Signing manifests and backups of objects: nothing is read that this installation did not sign.

The key is BACKUP_SIGNING_KEY, or in a file beside the console that is made when first needed, outside the backups.
"""

import hashlib
import hmac
import json
import os
import secrets
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.backups.catalogue.folder import backup_folder
from apps.backups.errors import NoSigningKey

SIGNATURE = "signature"


def sign(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with its signature, which covers everything else in it; raises NoSigningKey."""
    return {**document, SIGNATURE: _signature(document)}


def is_signed(document: dict[str, Any]) -> bool:
    """Whether this installation signed the document as it is; raises NoSigningKey."""
    return hmac.compare_digest(_signature(document).encode(), str(document.get(SIGNATURE, "")).encode())


def _signature(document: dict[str, Any]) -> str:
    content = {name: value for name, value in document.items() if name != SIGNATURE}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), default=datetime.isoformat)
    return hmac.new(_key(), canonical.encode(), hashlib.sha256).hexdigest()


def _key() -> bytes:
    if settings.BACKUP_SIGNING_KEY:
        return str(settings.BACKUP_SIGNING_KEY).encode()
    file = Path(settings.BACKUP_SIGNING_KEY_FILE)
    if file.resolve().is_relative_to(backup_folder()):
        raise NoSigningKey(
            f"The key that signs backups would be among them, in {file}: set BACKUP_DIR to a folder of its own, or "
            "BACKUP_SIGNING_KEY to a secret."
        )
    try:
        if not file.exists():
            _make_key(file)
        if key := file.read_bytes().strip():
            return key
    except OSError as error:
        raise NoSigningKey(
            f"The key that signs backups cannot be kept in {file} ({error.strerror}): set BACKUP_SIGNING_KEY to a "
            "secret of your own, such as 50 random letters."
        ) from error
    raise NoSigningKey(f"The file {file} is empty: bring the key back that signs backups, or remove the file.")


def _make_key(file: Path) -> None:
    """Write a new key; where two processes do so at once, the first one counts."""
    partial = file.with_name(f"{file.name}-{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secrets.token_urlsafe(50))
        with suppress(FileExistsError):
            os.link(partial, file)
    finally:
        partial.unlink()
