"""The file factories, for all tests of imports."""

from tests.imports.files import airports_file, import_file  # noqa: F401
