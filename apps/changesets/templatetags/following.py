"""Template tags of following: the button on the pages of what can be followed."""

from typing import Any

from django import template
from django.db.models import Model

from apps.changesets.follow_models import Follow
from apps.changesets.history.stable_key import object_key_of
from apps.changesets.pages import links
from apps.changesets.tracking import tracked_by_name

register = template.Library()


@register.inclusion_tag("admin/changesets/follow.html", takes_context=True)
def follow_button(context: template.Context, about: str, follows: bool | None = None) -> dict[str, Any]:
    """Offer to follow what a word names, or to stop that; `follows` is looked up where it is not known."""
    user = context["request"].user
    may = user.has_perm(links.VIEW)
    if may and follows is None:
        follows = Follow.objects.filter(user=user, about=about).exists()
    return _button(context, about, may=may, follows=bool(follows))


@register.inclusion_tag("admin/changesets/follow.html", takes_context=True)
def follow_view_button(context: template.Context, view: Any) -> dict[str, Any]:
    """Offer to follow a saved view of a list of objects, as `views_of` gives it, or to stop that."""
    may = context["request"].user.has_perm(links.VIEW) and tracked_by_name(view.model) is not None
    button = _button(context, f"view:{view.pk}", may=may, follows=view.followed)
    return {**button, "name": f"the view {view.name}"}


@register.filter
def followed_as(obj: Model) -> str:
    """Return the word by which an object is followed."""
    return f"{obj._meta.label_lower}/{object_key_of(obj)}"


def _button(context: template.Context, about: str, *, may: bool, follows: bool) -> dict[str, Any]:
    return {"about": about, "may": may, "follows": follows, "csrf_token": context.get("csrf_token")}
