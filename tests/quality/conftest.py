"""The file factories and the places, for tests of findings and of the gate."""

from tests.admin.conftest import places  # noqa: F401
from tests.imports.files import airports_file, import_file  # noqa: F401
