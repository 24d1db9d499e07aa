"""Encrypting copies with GnuPG; the program gpg is needed only when BACKUPS_ENCRYPT_TO is set."""

from pathlib import Path
from typing import Any

import gnupg
from django.conf import settings

from apps.backups.errors import NotDecrypted, NotEncrypted, ProgramMissing

SUFFIX = ".gpg"


def is_wanted() -> bool:
    """Whether copies elsewhere are encrypted; raises NotEncrypted when they must be, and no key is named."""
    if settings.BACKUPS_DEMAND_ENCRYPTION and not settings.BACKUPS_ENCRYPT_TO:
        raise NotEncrypted(
            "The settings demand that copies are encrypted, and name no key: set BACKUPS_ENCRYPT_TO, or "
            "BACKUPS_DEMAND_ENCRYPTION to False. Nothing was sent elsewhere."
        )
    return bool(settings.BACKUPS_ENCRYPT_TO)


def encrypt(source: Path, target: Path) -> None:
    """Write `source` encrypted for BACKUPS_ENCRYPT_TO to `target`; raises NotEncrypted or ProgramMissing."""
    recipients = list(settings.BACKUPS_ENCRYPT_TO)
    gpg = _gpg()
    if unknown := [name for name in recipients if not gpg.list_keys(keys=[name])]:
        raise NotEncrypted(
            f"gpg has no key of {', '.join(unknown)}: import it with gpg --import, or mend BACKUPS_ENCRYPT_TO. "
            "Nothing was sent elsewhere."
        )
    # The keys in the settings are trusted: nobody is there to confirm them.
    done = gpg.encrypt_file(str(source), recipients, output=str(target), always_trust=True, armor=False)
    if not done.ok:
        target.unlink(missing_ok=True)
        raise NotEncrypted(f"gpg could not encrypt {source.name} ({_said(done)}). Nothing was sent elsewhere.")


def decrypt(source: Path, target: Path, *, name: str) -> None:
    """Write `source` decrypted to `target`; raises NotDecrypted or ProgramMissing."""
    done = _gpg().decrypt_file(str(source), output=str(target), always_trust=True)
    if not done.ok:
        target.unlink(missing_ok=True)
        raise NotDecrypted(
            f"gpg could not decrypt {name} ({_said(done)}): it takes the secret key that belongs to "
            "BACKUPS_ENCRYPT_TO, and gpg-agent must have its passphrase."
        )


def _gpg() -> gnupg.GPG:
    home = settings.BACKUPS_GPG_HOME
    try:
        return gnupg.GPG(gnupghome=str(home) if home else None, options=["--batch", "--no-tty"])
    except OSError as error:
        raise ProgramMissing(
            "gpg is not on PATH, so nothing is encrypted or decrypted: install GnuPG (on Debian the package gnupg), or "
            "leave BACKUPS_ENCRYPT_TO empty."
        ) from error
    except ValueError as error:
        raise NotEncrypted(f"BACKUPS_GPG_HOME is no folder that gpg can use: {error}.") from error


def _said(done: Any) -> str:
    lines = [line for line in (done.stderr or "").splitlines() if line.startswith("gpg: ")]
    return (lines[-1].removeprefix("gpg: ") if lines else done.status or "it said nothing").rstrip(".")
