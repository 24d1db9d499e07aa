"""Who acts on a page, where pages look for it."""

from apps.changesets.acts.actor import actor_of as actor_of
