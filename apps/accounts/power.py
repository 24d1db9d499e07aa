"""What a person has, so that nobody who is no superuser gives anybody more or acts on who has more."""

from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q, QuerySet


def permissions_of(person: Any) -> "QuerySet[Permission]":
    """Return the permissions of a person, whether active or not; of a superuser all."""
    if person.is_superuser:
        return Permission.objects.all()
    return Permission.objects.filter(Q(user=person) | Q(group__user=person)).distinct()


def groups_within(person: Any) -> "QuerySet[Group]":
    """Return the groups that have no permission which this person lacks."""
    beyond = Permission.objects.exclude(pk__in=permissions_of(person).values("pk"))
    return Group.objects.exclude(pk__in=Group.objects.filter(permissions__in=beyond).values("pk"))


def has_more(owner: User | Group, *, than: Any) -> bool:
    """Whether a user or group may do something that this person may not."""
    if than.is_superuser:
        return False
    if isinstance(owner, Group):
        return not groups_within(than).filter(pk=owner.pk).exists()
    return owner.is_superuser or permissions_of(owner).exclude(pk__in=permissions_of(than).values("pk")).exists()
