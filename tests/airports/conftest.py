"""The file factories, for tests that import."""

from tests.imports.files import airports_file, import_file  # noqa: F401
