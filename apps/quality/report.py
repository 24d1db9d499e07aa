"""The report of findings for a terminal: sections with counts, coverage and examples."""

from collections.abc import Iterator

from apps.changesets.rights import all_seen
from apps.quality.coverage import link_coverage
from apps.quality.findings import by_severity, findings_of
from apps.quality.rows import values_of, with_links
from apps.quality.rules import Rule, Severity, rules_by_section

EXAMPLES = 3


def lines_for_people(
    counts: dict[str, int], accepted: dict[str, int], *, links: dict[str, str], every: bool
) -> Iterator[str]:
    """Yield the sections; `links` gives the section of each field whose coverage is shown, `every` lists all rows."""
    by_field = {coverage.field: coverage for coverage in link_coverage()}
    by_section = rules_by_section()
    for section in dict.fromkeys([*links.values(), *by_section]):
        yield section
        for field in (field for field, where in links.items() if where == section and field in by_field):
            coverage = by_field[field]
            yield f"  {coverage.linked:,} of {coverage.total:,} linked ({coverage.percent:.2f} %)"
        for rule in by_section.get(section, ()):
            yield from _rule_lines(rule, counts[rule.code], accepted.get(rule.code, 0), every=every)
        yield ""
    yield _sum_line(counts, accepted)


def _rule_lines(rule: Rule, number: int, accepted: int, *, every: bool) -> Iterator[str]:
    known = f" ({accepted:,} more accepted as known)" if accepted else ""
    yield f"  {rule.sign if number else ' '} {number:>7,}  {rule.code:<22}{rule.title}{known}"
    if not number:
        return
    findings = rule.in_order(with_links(rule, findings_of(rule)))
    for row in findings.iterator() if every else findings[:EXAMPLES]:
        yield "               " + " · ".join(
            [str(row), *(f"{name} {shown}" for name, shown in values_of(rule, row, sees=all_seen))]
        )
    if not every and number > EXAMPLES:
        yield f"               ... and {number - EXAMPLES:,} more"


def _sum_line(counts: dict[str, int], accepted: dict[str, int]) -> str:
    words = {Severity.ERROR: "errors", Severity.WARNING: "warnings", Severity.INFO: "remarks"}
    parts = [f"{number:,} {words[severity]}" for severity, number in by_severity(counts).items()]
    known = f"; {sum(accepted.values()):,} accepted as known" if accepted else ""
    return f"Findings: {', '.join(parts)}{known}."
