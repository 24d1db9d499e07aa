"""Running the rules on planned rows instead of live ones: on temporary tables."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connections


@contextmanager
def reading_from(tables: Mapping[str, str], *, using: str = "default") -> Iterator[None]:
    """Let every statement within the block read the tables named on the right instead of those on the left.

    Names are whole and quoted in what Django and the rules write, so that none is taken for a part of another.
    """
    connection = connections[using]
    quote = connection.ops.quote_name
    names = {quote(table): quote(planned) for table, planned in tables.items()}

    def read(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        for table, planned in names.items():
            sql = sql.replace(table, planned)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(read):
        yield
