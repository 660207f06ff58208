"""Why a story is where it is, in one sentence made from its largest reasons, and what would change it."""

from __future__ import annotations

from collections.abc import Sequence

from broadsheet.model import FeedItem, Reason, Repair
from broadsheet.wording import N_, one_and_another, phrase

_SMALL = 0.1  # a reason that gave less is not worth a clause
_SENTENCES = {  # by what there is to say: facts, an age, something against
    (True, False, False): N_("Here because {facts}."),
    (True, True, False): N_("Here because {facts}; {age}."),
    (True, False, True): N_("Here because {facts}; lower because {against}."),
    (True, True, True): N_("Here because {facts}; {age}; lower because {against}."),
    (False, False, False): N_("Here because nothing better is left."),
    (False, True, False): N_("Here because nothing better is left; {age}."),
    (False, False, True): N_("Here because nothing better is left; lower because {against}."),
    (False, True, True): N_("Here because nothing better is left; {age}; lower because {against}."),
}


def explain(item: FeedItem) -> str:
    """One true sentence: the two largest reasons for it, when it was reported, and the largest against it."""
    speaking = [reason for reason in _by_size(item.reasons) if reason.points > 0]
    against = [reason for reason in _by_size(item.reasons) if reason.points < 0 and reason.signal != "freshness"]
    age = next((reason for reason in item.reasons if reason.signal == "freshness"), None)
    chief = [reason for reason in speaking if reason is not age][:2]
    chief = [reason for reason in chief if reason.points >= _SMALL] or chief[:1]
    if age is not None and age.points > 0 and (not chief or age.points > 2 * chief[0].points):
        # its newness is the largest reason by far: then it is said first, as one
        clauses = [phrase("it is new"), *(reason.fact for reason in chief[:1])]
    else:
        clauses = [reason.fact for reason in chief]
    known = {"facts": one_and_another(clauses)}
    known |= {"age": age.fact} if age is not None else {}
    known |= {"against": against[0].fact} if against and -against[0].points >= 2 * _SMALL else {}
    return phrase(_SENTENCES[bool(clauses), "age" in known, "against" in known], **known)


def repairs(item: FeedItem) -> list[tuple[Reason, Repair]]:
    """Each reason that the reader can change, largest first, with the action that changes it; no action twice."""
    found: list[tuple[Reason, Repair]] = []
    for reason in _by_size(item.reasons):
        if reason.repair is not None and reason.repair not in (repair for _, repair in found):
            found.append((reason, reason.repair))
    return found


def _by_size(reasons: Sequence[Reason]) -> list[Reason]:
    return sorted(reasons, key=lambda reason: -abs(reason.points))
