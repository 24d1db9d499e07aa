"""What stations should be like."""

from django.db.models import Q

from apps.quality.rules import Rule, Severity, register_rules

register_rules(
    Rule(
        "station_without_platforms",
        "second_domain.station",
        Severity.WARNING,
        "Stations",
        "Stations without platforms",
        why="Trains stop at platforms.",
        mend="Say how many there are.",
        broken=Q(platforms=None),
        fields=("operator",),
    ),
)
