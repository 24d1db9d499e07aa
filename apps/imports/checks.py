"""System checks: can what is declared of an import be imported?"""

from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register

from apps.imports.registry import all_specs


@register(Tags.models)
def check_specs(**kwargs: Any) -> list[CheckMessage]:
    """Report imports.E001 for each spec with an upstream whose model has no key that stays: what would be missing?"""
    return [
        Error(
            f"The import {spec.name!r} has an upstream, and {spec.model._meta.label} has no stable key.",
            hint="Name the unique field that stays in the model's `tracking`, or leave `upstream` out of the spec.",
            obj=spec.model,
            id="imports.E001",
        )
        for spec in all_specs()
        if spec.upstream and spec.stable_key is None
    ]
