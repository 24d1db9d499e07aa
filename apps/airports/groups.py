"""The groups of people who use the console, and what each may do."""

from django.contrib.auth.models import Group, Permission
from django.db import transaction

TABLES = ("airports.airport", "base.city", "base.country")

# Each group may do what its line says, and all that the group it builds on may do.
GROUPS: dict[str, tuple[str | None, tuple[str, ...], tuple[str, ...]]] = {
    # group: (builds on, verbs on the three tables, further permissions)
    "viewer": (
        None,
        ("view",),
        (
            "changesets.view_changeset",
            "imports.view_importrun",
            "airports.view_historicalairport",
            "base.view_historicalcity",
            "base.view_historicalcountry",
            "imports.view_pin",
        ),
    ),
    "editor": ("viewer", ("add", "change", "backup"), ("imports.add_pin", "imports.delete_pin")),
    "importer": ("editor", ("import", "export"), ("airports.relink",)),
    "steward": (
        "importer",
        ("delete", "restore"),
        (
            "changesets.revert_changeset",
            "changesets.review_changeset",
            "airports.clear_links",
            "airports.delete_recent_import",
            "airports.resolve_duplicates",
            "base.merge_city",
        ),
    ),
    "approver": ("steward", (), ("imports.approve_importrun",)),
}


def permissions_of(group: str) -> set[str]:
    """Return the permissions of `group` as `app_label.codename`, inherited ones included."""
    builds_on, verbs, further = GROUPS[group]
    own = {f"{app}.{verb}_{model}" for verb in verbs for app, _, model in (t.partition(".") for t in TABLES)}
    return own.union(further, permissions_of(builds_on) if builds_on else ())


@transaction.atomic
def create_groups() -> dict[str, int]:
    """Make the groups, or bring them back to what the table above says; returns the number of permissions of each.

    Members stay. Raises Permission.DoesNotExist when the database is not migrated.
    """
    return {name: _set_permissions(name) for name in GROUPS}


def _set_permissions(name: str) -> int:
    group, _ = Group.objects.get_or_create(name=name)
    permissions = [_permission(wanted) for wanted in sorted(permissions_of(name))]
    group.permissions.set(permissions)
    return len(permissions)


def _permission(wanted: str) -> Permission:
    app_label, _, codename = wanted.partition(".")
    return Permission.objects.get(content_type__app_label=app_label, codename=codename)
