"""The files of runs: kept compressed in a storage of their own, under the hash of their content."""

import gzip
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.files import File
from django.core.files.storage import Storage, storages

from apps.imports.errors import FileIsGone
from apps.imports.models import ImportRun
from apps.imports.reading.sources import SourceFile, from_path
from apps.imports.results import FileIdentity

_GZIP_LEVEL = 5


def storage() -> Storage:
    """Return the storage of imported files."""
    return storages["imports"]


def keep_file(source: SourceFile) -> str:
    """Keep the bytes of `source`, compressed, and return their name in the storage; the same bytes are kept once."""
    name = f"{source.identity.sha256}.gz"
    if storage().exists(name):
        return name
    with tempfile.TemporaryFile(prefix="import-") as packed:
        with (
            source.path.open("rb") as plain,
            gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=_GZIP_LEVEL) as out,
        ):
            shutil.copyfileobj(plain, out, 1 << 20)
        packed.seek(0)
        return storage().save(name, File(packed))


@contextmanager
def kept_file(run: ImportRun) -> Iterator[SourceFile]:
    """Lend the file of a run as it was uploaded, for the length of the block.

    Raises FileIsGone when it is not kept any more, or is no longer what was uploaded.
    """
    if not run.kept_as or not storage().exists(run.kept_as):
        raise FileIsGone(f"{run.file_name} is not kept any more: upload it again.")
    with tempfile.TemporaryDirectory(prefix="import-") as directory:
        path = Path(directory) / "file"
        with storage().open(run.kept_as, "rb") as packed, gzip.open(packed, "rb") as plain, path.open("wb") as out:
            shutil.copyfileobj(plain, out, 1 << 20)
        source = from_path(path, name=run.file_name)
        if source.identity != FileIdentity(run.file_name, run.file_sha256, run.file_size):
            raise FileIsGone(f"{run.file_name} is no longer what was uploaded (its SHA-256 differs): upload it again.")
        yield source


def forget_file(run: ImportRun) -> None:
    """Remove the file of a run, unless another run has the same one; the run says that it is gone."""
    name, run.kept_as = run.kept_as, ""
    run.save(update_fields=["kept_as"])
    if name and not ImportRun.objects.filter(kept_as=name).exists():
        storage().delete(name)
