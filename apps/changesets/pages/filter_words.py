"""What a list is narrowed to, in words."""

from django.contrib.admin.views.main import ChangeList


def filter_words(changelist: ChangeList) -> list[str]:
    """Return what the list is narrowed to, a line for each filter and one for the search; empty if it is whole."""
    if not changelist.queryset.query.where:
        return []
    named, words = set(), []
    for filters in changelist.filter_specs:
        named.update(filters.expected_parameters())
        # The first choice is all rows.
        chosen = [choice["display"] for choice in list(filters.choices(changelist))[1:] if choice["selected"]]
        words += [f"{filters.title}: {', '.join(map(str, chosen))}"] if chosen else []
    for name, values in changelist.get_filters_params().items():
        # What begins so is of the page: its columns, that it is a popup.
        if name not in named and not name.startswith("_"):
            words.append(f"{name.replace('__', ' ').replace('_', ' ')}: {', '.join(map(str, values))}")
    if changelist.query.strip():
        words.append(f"search: {changelist.query}")
    return words
