"""The file factories and the runs, for all tests of imports."""

from tests.imports.files import airports_file, import_file  # noqa: F401
from tests.imports.runs import confirmed_and_applied, opened, planned  # noqa: F401
