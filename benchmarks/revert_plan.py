"""`python -m benchmarks.revert_plan CHANGESET [QUERY ...]`: the plan of a revert, page by page, on DATABASE_URL.

Prints for the making of the plan, its page, and each further query (`bucket=deleted&start=100`) the seconds, those of
this process alone, the number of queries and the size. It stores the plan, and a user `bench`.
"""

import sys
import time
from typing import Any

import django

FURTHER = ("bucket=restored&start=100", "bucket=restored&start=10000", "bucket=deleted&start=200", "bucket=blocked")
ALLOWED = ["testserver", "localhost"]


def opened(client: Any, address: str, *, plans: bool = False) -> str:
    """Open a page, or have its plan made; return how long it took, its queries and its size, in words."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    started, busy = time.perf_counter(), time.process_time()
    with CaptureQueriesContext(connection) as queries:
        answer = client.post(address, {"show": "plan"}, follow=True) if plans else client.get(address, follow=True)
    seconds, own = time.perf_counter() - started, time.process_time() - busy
    took = f"{answer.status_code} {seconds:6.3f} s ({own:.3f} s own) {len(queries):3} queries"
    return f"{took} {len(answer.content):8,} bytes  {address}"


def main() -> None:
    """Open the pages of the plan and print what each took."""
    django.setup()
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client

    settings.ALLOWED_HOSTS, settings.DEBUG = ALLOWED, False
    user, _ = User.objects.get_or_create(username="bench", defaults={"is_staff": True, "is_superuser": True})
    client = Client()
    client.force_login(user)
    address = f"/admin/changesets/changeset/{sys.argv[1]}/revert/"
    client.get("/admin/changesets/changeset/")
    print(opened(client, address, plans=True))
    for query in ["", *(sys.argv[2:] or FURTHER)]:
        print(opened(client, f"{address}?{query}" if query else address))


if __name__ == "__main__":
    main()
