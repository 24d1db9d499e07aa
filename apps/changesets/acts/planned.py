"""What an act declares for the frame, which shows its plan, asks for the reason, applies it and shows the outcome."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.forms import ReasonForm, posted_reason
from apps.changesets.acts.lines import Line
from apps.changesets.acts.methods import ASKS
from apps.changesets.errors import ChangesetError
from apps.changesets.rights import Need

P = TypeVar("P")


@dataclass(frozen=True)
class Crumb:
    """A step of the way to the page: its words, and where they lead unless it is the page itself."""

    words: str
    url: str = ""


@dataclass(frozen=True)
class Message:
    """A sentence that is shown to the person, with its level."""

    sentence: str
    level: int = messages.SUCCESS


@dataclass(frozen=True)
class Outcome:
    """The address that an act leads to, and the messages shown there.

    `is_done`: it was not only asked for. `is_left`: a worker will do it, or fail.
    """

    url: str
    messages: tuple[Message, ...] = ()
    is_done: bool = True
    is_left: bool = False


@dataclass(frozen=True)
class Page:
    """The words of a confirm page around the plan.

    `verb` stands on the button, and there is no button where nothing can be done; `note` stands beside it. `asks` tells
    that something can be chosen even then.
    """

    title: str
    crumbs: Sequence[Crumb]
    verb: str
    back_url: str
    back: str = "Back"
    danger: bool = False
    asks: bool = False
    note: str = "It becomes a changeset of its own, and can be undone in turn."
    heading: str = ""
    lines: Sequence[Line] = ()
    context: dict[str, Any] = field(default_factory=dict)


class PlannedAct(ABC, Generic[P]):
    """One thing that a person confirms, in one request.

    Reading shows its plan; a post with a reason does it, if what was shown is still so. `P` is the act's plan.
    """

    # What tells its tokens from those of other acts, and what is shown is called in the sentence that it moved.
    name: ClassVar[str]
    noun: ClassVar[str] = "plan"
    template: ClassVar[str] = "admin/acts/confirm.html"
    # Whether it is done only with the token of a plan that was shown; lists' actions are also done without.
    needs_token: ClassVar[bool] = True
    methods: ClassVar[tuple[str, ...]] = ASKS
    # What may be refused with a sentence, after which the plan is shown again.
    refusals: ClassVar[tuple[type[Exception], ...]] = (ChangesetError,)

    def __init__(self, model_admin: admin.ModelAdmin[Any], request: HttpRequest) -> None:
        self.model_admin = model_admin
        self.request = request

    @property
    def actor(self) -> User:
        """The user of the request."""
        return actor_of(self.request)

    @abstractmethod
    def may(self) -> bool:
        """Whether the person may do it, and see what it would do."""

    @abstractmethod
    def subject(self) -> Any:
        """Return what it is about, as JSON has it: a token of another subject does not count."""

    @abstractmethod
    def plan(self) -> P:
        """Return what the act would do; nothing is changed. A refusal that it raises is shown instead of the plan."""

    @abstractmethod
    def state(self, plan: P) -> Any:
        """Return what the plan saw, as JSON has it; `apply` is given it back."""

    @abstractmethod
    def page(self, plan: P) -> Page:
        """Return what the page says."""

    @abstractmethod
    def apply(self, *, reason: str, seen: Any) -> Outcome:
        """Apply the act; `seen` is the state of the plan that was shown, None where none was needed.

        Raises a refusal where it cannot be done, or is not any more what was seen: nothing is changed then.
        """

    def needs(self, plan: P) -> Iterable[Need]:
        """Return what the plan shows and would write of which models, as far as `may` has not asked for it.

        Whoever may not do all of it is told so instead of the plan. Whatever is written is asked for by itself.
        """
        return ()

    def size(self, plan: P) -> int:
        """Return how many objects the plan would write, for an act that a second person confirms where it is large."""
        return 0

    def plan_to_confirm(self, seen: Any) -> P | None:
        """Return the plan of what is confirmed, for its size; None where none is asked for, or it is refused anyway."""
        return None

    def same(self, plan: P) -> Any:
        """Return all that the plan is about, as JSON has it: the same, whoever asks for it."""
        raise NotImplementedError

    def way(self, plan: P) -> dict[str, Any]:
        """Return how others come to the plan: title, permission, model, address, posted, stored_plan of a Proposal."""
        raise NotImplementedError

    def is_confirmed(self) -> bool:
        """Whether the person has confirmed it, and does not just ask for the plan."""
        return self.request.method == "POST"

    def wants_reason(self) -> bool:
        """Whether it is done only with a reason."""
        return True

    def proposed_reason(self) -> str:
        """Return the reason that the form starts with."""
        return posted_reason(self.request)

    def is_complete(self) -> bool:
        """Whether what else it asks for is given; its page tells what is missing."""
        return True

    def sentence_of(self, refusal: Exception) -> str:
        """Return the sentence of a refusal; the plan is made again after it."""
        return str(refusal)

    def show_elsewhere(self, refusal: str, form: ReasonForm) -> HttpResponse | None:
        """Return the page that shows the plan of what was not done, for an act that has no page of its own.

        `refusal` is empty where only the forms say what is missing.
        """
        return None

    def without_plan(self, refusal: Exception) -> HttpResponse | Page:
        """Return the answer where there is no plan to show, or the page that says so."""
        raise refusal
