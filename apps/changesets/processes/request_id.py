"""The id of the request, or of the task of a worker, that is at work: lines of the log and changesets carry it."""

from contextvars import ContextVar

MOST_CHARACTERS = 64
request_id: ContextVar[str] = ContextVar("request id", default="")
