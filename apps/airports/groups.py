"""The groups of users, and the permissions of each."""

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from apps.changesets.tracking import tracked_models

# Each group may do what its line says, and all that the group it builds on may do.
GROUPS: dict[str, tuple[str | None, tuple[str, ...], tuple[str, ...]]] = {
    # group: (builds on, verbs on every tracked model, further permissions)
    "viewer": (
        None,
        ("view",),
        (
            "changesets.view_changeset",
            "imports.view_importrun",
            "imports.view_pin",
            "quality.view_findings",
            "backups.view_backups",
        ),
    ),
    "editor": (
        "viewer",
        ("add", "change", "backup"),
        ("imports.add_pin", "imports.delete_pin", "quality.accept_findings"),
    ),
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
            "backups.create_backup",
            "backups.verify_backup",
        ),
    ),
    "approver": ("steward", (), ("imports.approve_importrun", "backups.restore_backup")),
}


def permissions_of(group: str) -> set[str]:
    """Return the permissions of `group` as `app_label.codename`, inherited ones included."""
    builds_on, verbs, further = GROUPS[group]
    metas = [(tracked.model._meta, tracked.history_model._meta) for tracked in tracked_models()]
    own = {f"{meta.app_label}.{verb}_{meta.model_name}" for verb in verbs for meta, _history in metas}
    if "view" in verbs:
        own |= {f"{history.app_label}.view_{history.model_name}" for _meta, history in metas}
    return own.union(further, permissions_of(builds_on) if builds_on else ())


@transaction.atomic
def create_groups() -> dict[str, int]:
    """Make the groups with exactly the permissions of the table above; return the number of permissions of each.

    Members stay. Raises Permission.DoesNotExist when the database is not migrated.
    """
    wanted = _wanted_keys()
    Group.objects.bulk_create([Group(name=name) for name in GROUPS], ignore_conflicts=True)
    groups = Group.objects.in_bulk(GROUPS, field_name="name")
    links = Group.permissions.through.objects
    rows = links.filter(group__in=groups.values()).values_list("group_id", "permission_id", "pk")
    granted = {(group, key): link for group, key, link in rows}
    should = {(groups[name].pk, key) for name, keys in wanted.items() for key in keys}
    links.filter(pk__in=[granted[pair] for pair in granted.keys() - should]).delete()
    missing = sorted(should - granted.keys())
    links.bulk_create([links.model(group_id=group, permission_id=key) for group, key in missing])
    return {name: len(keys) for name, keys in wanted.items()}


def _wanted_keys() -> dict[str, list[int]]:
    """Return the primary keys of the permissions that each group should have."""
    rows = Permission.objects.values_list("content_type__app_label", "codename", "pk")
    keys = {f"{app_label}.{codename}": key for app_label, codename, key in rows}
    wanted = {name: permissions_of(name) for name in GROUPS}
    if missing := sorted(set().union(*wanted.values()) - keys.keys()):
        raise Permission.DoesNotExist(f"There is no permission {missing[0]}.")
    return {name: [keys[permission] for permission in names] for name, names in wanted.items()}
