"""The way from a list to what the quality rules find, where there is a page that shows it."""

from django.http import HttpRequest

from apps.changesets.pages.links import address_of
from apps.changesets.pages.recorded import RecordedModelAdmin

FINDINGS = "admin:quality_findings"
SEE_FINDINGS = "quality.view_findings"


class ValidatingMixin(RecordedModelAdmin):
    """A button Validate on the list of a model; stands before RecordedModelAdmin among the bases."""

    def list_tools(self, request: HttpRequest) -> list[tuple[str, str]]:
        address = address_of(FINDINGS) if request.user.has_perm(SEE_FINDINGS) else ""
        return [*super().list_tools(request), *([(address, "Validate")] if address else [])]
