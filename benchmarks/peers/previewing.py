"""The stock preview: a file is uploaded in the admin, and the answer is the page of what would change."""

from typing import Any

WHO = {"username": "bench", "password": "a benchmark of ours"}
UPLOAD = "/admin/peers/airport/import/"


class NoPreview(Exception):
    """The answer to the upload is no preview."""


def preview(path: str) -> dict[str, Any]:
    """Log in, upload the file, and return the size of the page that comes back."""
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.login(**WHO)
    with open(path, "rb") as file:
        answer = client.post(UPLOAD, {"import_file": file, "format": "0", "resource": ""})
    # A file without rows, which tells the start-up, gets the form back.
    refused = b"errorlist" in answer.content and b"No valid data to import" not in answer.content
    if answer.status_code != 200 or refused:
        raise NoPreview(f"{answer.status_code}: {answer.content[:2000].decode()}")
    return {"page_bytes": len(answer.content)}
