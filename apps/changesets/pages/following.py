"""Following: the button, the list of what a person follows, and the feed that a token opens."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.http import require_safe

from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.following import follow, new_token, owner_of, revoke_token, unfollow
from apps.changesets.acts.methods import DOES, for_viewers, turned_away
from apps.changesets.errors import NotToFollow
from apps.changesets.follow_models import FeedToken, Follow
from apps.changesets.history.followed import rows_of_object
from apps.changesets.pages import links
from apps.changesets.pages.news import News, recent_news
from apps.changesets.rights import eyes_of
from apps.changesets.text import NOT_XML
from apps.changesets.tracking import tracked_by_name


@dataclass(frozen=True)
class Followed:
    """One thing that a person follows: its word, its name and address; no name of what they may not see."""

    about: str
    name: str
    url: str


def following_url() -> str:
    """Return the address of what the person follows."""
    return reverse("admin:changesets_changeset_following")


@for_viewers
def following_page(model_admin: admin.ModelAdmin[Any], request: HttpRequest) -> HttpResponse:
    """Show what the person follows, and how they hear of it; reads only."""
    return _list(model_admin, request)


def follow_page(model_admin: admin.ModelAdmin[Any], request: HttpRequest) -> HttpResponse:
    """Follow what the form names, or stop that, and lead to the list of what is followed."""
    if (refused := turned_away(request, DOES, may=model_admin.has_view_permission(request))) is not None:
        return refused
    about, actor = request.POST.get("about", "")[:400], actor_of(request)
    if "unfollow" in request.POST:
        done = unfollow(actor, about)
        messages.info(request, "You do not follow that any more." if done else "You did not follow that.")
        return HttpResponseRedirect(following_url())
    try:
        made = follow(actor, about, site=request.build_absolute_uri("/").rstrip("/"))
        messages.success(request, f"You follow {made} now.")
    except NotToFollow as refusal:
        messages.error(request, str(refusal))
    return HttpResponseRedirect(following_url())


def token_page(model_admin: admin.ModelAdmin[Any], request: HttpRequest) -> HttpResponse:
    """Give the person a new address of their feed, which is shown this once, or close the feed."""
    if (refused := turned_away(request, DOES, may=model_admin.has_view_permission(request))) is not None:
        return refused
    if "revoke" in request.POST:
        revoke_token(actor_of(request))
        messages.info(request, "The feed is closed: its address opens nothing any more.")
        return HttpResponseRedirect(following_url())
    address = request.build_absolute_uri(reverse("feed", args=[new_token(actor_of(request))]))
    response = _list(model_admin, request, feed_address=address)
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """Answer with the news of what the owner of a token follows, as Atom; 404 for a token that opens nothing."""
    owner = owner_of(token)
    if owner is None:
        raise Http404("There is no such feed.")
    site = request.build_absolute_uri("/").rstrip("/")
    atom = Atom1Feed(
        title=f"TravelMathLite: what {_plain(owner.get_username())} follows",
        link=site + following_url(),
        description="",
        feed_url=request.build_absolute_uri(),
    )
    for news in recent_news(owner):
        _add(atom, news, site + news.url)
    response = HttpResponse(atom.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")
    response["Cache-Control"] = "private, no-store"
    return response


def _add(atom: Atom1Feed, news: News, address: str) -> None:
    words = "\n".join(filter(None, [news.words, f"You follow {', '.join(news.followed)}."]))
    title, by = _plain(news.title), _plain(news.by)
    atom.add_item(
        title, address, _plain(words), unique_id=address, pubdate=news.at, updateddate=news.at, author_name=by
    )


def _plain(text: str) -> str:
    return NOT_XML.sub(" ", text)


def _list(model_admin: admin.ModelAdmin[Any], request: HttpRequest, *, feed_address: str = "") -> HttpResponse:
    user = actor_of(request)
    follows = Follow.objects.filter(user=user).select_related("changeset", "view").order_by("-pk")
    request.current_app = model_admin.admin_site.name
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": "What I follow",
        "followed": list(_followed(follows, user)),
        "feed_address": feed_address,
        "has_token": FeedToken.objects.filter(user=user).exists(),
        "email": user.email,
    }
    return TemplateResponse(request, "admin/changesets/following.html", context)


def _followed(follows: Iterable[Follow], user: User) -> Iterable[Followed]:
    sees = eyes_of(user)
    for one in follows:
        if one.changeset is not None:
            yield Followed(one.about, str(one.changeset), links.changeset_url(one.changeset.pk))
            continue
        tracked = tracked_by_name(one.view.model if one.view else one.model)
        if tracked is None or not sees(tracked.model):
            yield Followed(one.about, "something that you may not see any more", "")
        elif one.view is not None:
            seen = one.view.shared or one.view.owner_id == user.pk
            name = f"the view “{one.view.name}” of {tracked.model._meta.verbose_name_plural}"
            yield Followed(
                one.about, name if seen else "a view that is not shared any more", _view_url(one) if seen else ""
            )
        else:
            row = rows_of_object(tracked, one.object_key).order_by("-history_id").first()
            url = links.object_url(tracked.model, row.instance.pk, page="history") if row is not None else ""
            yield Followed(one.about, one.object_name, url)


def _view_url(one: Follow) -> str:
    tracked = tracked_by_name(one.view.model) if one.view else None
    return f"{links.list_url(tracked.model)}?{one.view.query}" if tracked and one.view else ""
