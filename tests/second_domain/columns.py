"""The columns of operators and stations in a file: what imports read and exports write."""

from apps.imports.mapping.columns import Column, Reference
from apps.imports.registry import register_spec
from apps.imports.spec import Evidence, ImportSpec, MatchChoice
from tests.second_domain.models import Operator, Station

OPERATORS = ImportSpec(
    name="operators",
    model=Operator,
    columns=(Column("id"), Column("code", required=True), Column("name", required=True)),
    match_by=("code",),
    evidence=Evidence(name="name"),
)
STATIONS = ImportSpec(
    name="stations",
    model=Station,
    upstream="upstream",
    upstream_title="the railways' register",
    columns=(
        Column("number", "register number", required=True, merged=False),
        Column("code", required=True),
        Column("name", required=True),
        Column("operator", required=True, refers=Reference(Operator, by="code")),
        Column("opened"),
        Column("platforms"),
        Column("active"),
    ),
    evidence=Evidence(name="name", country="operator"),
    match_choices={"name": MatchChoice("operator and name", ("operator", "name"), together=True)},
)
register_spec(OPERATORS)
register_spec(STATIONS)
