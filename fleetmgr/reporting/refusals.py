"""What an apply would be refused for: shown with the plan, so that nobody has to try."""

from __future__ import annotations

from fleetmgr.model.change import Plan, Refusal, Verb
from fleetmgr.model.grouping import same_refusals
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.problems import problem_data
from fleetmgr.reporting.wording import names

_REFUSED = {
    Verb.APPLY: "An apply of this plan writes nothing (exit code 5).",
    Verb.DESTROY: "Nothing of this plan is deleted (exit code 5).",
}
_SHOWN = 5
"""Objects that are named; the plan above has all of them."""


def refusal_lines(plan: Plan) -> list[str]:
    """Each distinct reason once, with its clusters and some of the objects."""
    lines: list[str] = []
    for group in same_refusals(plan):
        problem = group.problem
        shorts = [visible(ref.short) for ref in group.objects[:_SHOWN]]
        more = len(group.objects) - len(shorts)
        lines.append(f"Refused ({names(group.clusters)}): {visible(problem.message)} [{problem.code}]")
        lines += [f"  {', '.join(shorts)}{f' and {more} more' if more else ''}"] if shorts else []
        lines += [f"  hint: {visible(problem.hint)}"] if problem.hint else []
    return [*lines, _REFUSED[plan.verb]] if lines else []


def refusal_data(refusal: Refusal) -> JsonObject:
    """``{code, message, hint, where, cluster, app?, objects}``."""
    data = problem_data(refusal.problem) | {"cluster": refusal.cluster}
    if refusal.app is not None:
        data["app"] = refusal.app
    return data | {"objects": [str(ref) for ref in refusal.objects]}
