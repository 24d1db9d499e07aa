"""Django's loaddata, which does not record again what a fixture brings its history of."""

import io
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from django.core import serializers
from django.core.management.commands.loaddata import READ_STDIN, SingleZipReader
from django.core.management.commands.loaddata import Command as LoadDataCommand
from django.utils.functional import cached_property

from apps.changesets.management.sentences import Writing
from apps.changesets.models import Kind
from apps.changesets.recording import install_recording, uninstall_recording
from apps.changesets.recording.audit import record_drift
from apps.changesets.tracking import tracked_models

PART = 1 << 20


class Command(Writing, LoadDataCommand):
    def loaddata(self, fixture_labels: Sequence[str]) -> None:
        """Load fixtures; one without history is recorded like any other write."""
        self.serialization_formats = serializers.get_public_serializer_formats()
        if not self._holds_history(fixture_labels):
            super().loaddata(fixture_labels)
            return
        # In the transaction that Django opened, so that nobody else's writes go unrecorded.
        uninstall_recording(self.using)
        super().loaddata(fixture_labels)
        install_recording(self.using)
        # What the fixtures bring without its history.
        record_drift(kind=Kind.DIRECT, reason="Loaded from a fixture.", using=self.using)

    @cached_property
    def compression_formats(self) -> dict[str | None, Any]:
        """Django's, with a standard input that can be read again."""
        return {**super().compression_formats, "stdin": (lambda *args: io.StringIO(self._typed), None)}

    @cached_property
    def _typed(self) -> str:
        return sys.stdin.read()

    def _holds_history(self, fixture_labels: Sequence[str]) -> bool:
        names = [tracked.history_model._meta.label_lower.encode() for tracked in tracked_models()]
        return any(
            name in part
            for label in fixture_labels
            for file, *_ in self.find_fixtures(label)
            for part in self._parts(file)
            for name in names
        )

    def _parts(self, file: str) -> Iterator[bytes]:
        """Yield the content of a fixture in parts that overlap, in small letters."""
        if file == READ_STDIN:
            yield self._typed.lower().encode()
            return
        open_method, mode = self.compression_formats[self.parse_name(file)[2]]
        before = b""
        with open_method(file, mode) as stream:
            if isinstance(stream, SingleZipReader):
                yield stream.read().lower()
                return
            while part := stream.read(PART):
                yield (before + part).lower()
                before = part[-100:]
