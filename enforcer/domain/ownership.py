"""Which clusters are of the lab, and which only claim to be. Pure.

A cluster of the lab has the tags of the course, a group that the course file lists, and a creator who is staff; once
accepted it stays so. Tags alone are a claim, which anybody can make who may create a cluster.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from enforcer.domain.observations import SeenCluster
from labkit.course_file import ORIGIN, legacy_group_of

Pair = tuple[str, str]
"""Course and term."""
_LABEL = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*")
"""What a course and a term are called; their names lead to a path in the workspace."""


NO_FILE = "the course has no course file; deploy it, or set LAB_COURSE and LAB_TERM"


@dataclass(frozen=True)
class Accepted:
    """A cluster that was found to be of the lab."""

    course: str
    term: str
    group: str
    creator: str
    """Empty if it was not noted."""


@dataclass(frozen=True)
class Trust:
    """Whom a creator may be."""

    is_trusted: Callable[[SeenCluster], bool]
    """Whether the creator of a cluster is staff."""
    is_certain: Callable[[SeenCluster], bool]
    """Whether a no is certain: the administrators were read since the cluster was first seen."""


@dataclass(frozen=True)
class Own:
    """The clusters of a course."""

    clusters: tuple[SeenCluster, ...] = ()
    """With course, term and group as they were accepted."""
    new: tuple[SeenCluster, ...] = ()
    """Those of them that are accepted from now on."""
    claims: tuple[SeenCluster, ...] = ()
    """Those that are not served."""
    problems: tuple[str, ...] = ()


def has_tags(cluster: SeenCluster) -> bool:
    """Whether it has all tags of a lab, as a deploy writes them."""
    is_named = _LABEL.fullmatch(cluster.course) and _LABEL.fullmatch(cluster.term)
    return bool(cluster.origin == ORIGIN and is_named and cluster.group)


def pair_of(cluster: SeenCluster) -> Pair:
    """The course and term that its tags name."""
    return cluster.course, cluster.term


def choose_course(
    found: Iterable[Pair], course: str | None, term: str | None, known: Pair | None
) -> tuple[Pair | None, str | None]:
    """Which course and term is meant, and a sentence if that is not clear.

    `found` are those that trusted clusters name, `known` is the one that was served last. Settings name it, or there is
    only one; if there are several, the known one goes on. None with a sentence: nothing was served yet, so nothing can
    go on. None without: there is no course.
    """
    if course and term:
        return (course, term), None
    wanted = sorted({pair for pair in found if course in (None, pair[0]) and term in (None, pair[1])})
    if known and (course not in (None, known[0]) or term not in (None, known[1])):
        known = None
    if len(wanted) > 1:
        shown = ", ".join(f"{c} {t}" for c, t in wanted)
        unclear = f"the workspace has several courses ({shown}); set LAB_COURSE and LAB_TERM to one of them"
        return known, f"{unclear}; {known[0]} {known[1]} is served meanwhile" if known else unclear
    return wanted[0] if wanted else known, None


def own_clusters(
    everything: Iterable[SeenCluster],
    pair: Pair,
    *,
    groups: frozenset[str] | None,
    is_named: bool,
    accepted: Mapping[str, Accepted],
    trust: Trust,
) -> Own:
    """The clusters of a course in a term.

    `groups` are those of the course file, None if there is none; then the settings have to name the course, which
    `is_named` says. A cluster that is not accepted yet and whose creator cannot be looked up is served, but not
    accepted, unless its group has an accepted one: neither the lab nor a foreign cluster is decided about by an answer
    that is missing.
    """
    everything = tuple(everything)
    clusters: list[SeenCluster] = []
    new: list[SeenCluster] = []
    claims: list[SeenCluster] = []
    doubtful: list[SeenCluster] = []
    problems: list[str] = []
    for cluster in everything:
        before = accepted.get(cluster.id)
        is_tagged = has_tags(cluster) and pair_of(cluster) == pair
        if before and (before.course, before.term) == pair:
            served, problem = _as_accepted(cluster, before, groups, is_tagged=is_tagged)
            clusters.append(served)
            new += [served] if served.group != before.group else []
            problems += [problem] if problem else []
        elif not is_tagged:
            continue
        elif groups is None and not is_named:
            claims.append(cluster)
            problems.append(_refused(cluster, NO_FILE))
        elif groups is not None and cluster.group not in groups:
            claims.append(cluster)
            problems.append(_refused(cluster, "the course file does not list this group"))
        elif trust.is_trusted(cluster):
            clusters.append(cluster)
            new.append(cluster)
        elif cluster.creator and trust.is_certain(cluster):
            claims.append(cluster)
            why = f"its creator {cluster.creator} is neither an administrator of the workspace nor in [staff]"
            problems.append(_refused(cluster, why))
        else:
            doubtful.append(cluster)
    taken = {cluster.group for cluster in clusters}
    for cluster in doubtful:
        creator = cluster.creator or "unknown"
        why = f"whether its creator ({creator}) is an administrator of the workspace could not be read"
        if cluster.group in taken:
            claims.append(cluster)
            problems.append(_refused(cluster, f"{why}, and the group has another cluster"))
        else:
            clusters.append(cluster)
            problems.append(
                f"cluster {cluster.name} ({cluster.id}) of {cluster.group} is served by its tags alone: {why}; "
                "make the enforcer an administrator, or name the creator in [staff] and deploy"
            )
    order = {cluster.id: number for number, cluster in enumerate(everything)}
    clusters.sort(key=lambda cluster: order[cluster.id])
    return Own(tuple(clusters), tuple(new), tuple(claims), tuple(problems))


def _as_accepted(
    cluster: SeenCluster, before: Accepted, groups: frozenset[str] | None, *, is_tagged: bool
) -> tuple[SeenCluster, str | None]:
    """The cluster with the group it was accepted with, and a sentence if its tags say something else now."""
    kept = replace(cluster, course=before.course, term=before.term, group=before.group, origin=ORIGIN)
    if is_tagged and cluster.group == before.group:
        return cluster, None
    if is_tagged and groups is not None and cluster.group in groups and before.group not in groups:
        # The deploy gave its group another name.
        return cluster, None
    says = f"{cluster.course} {cluster.term} {cluster.group}" if has_tags(cluster) else "nothing"
    return kept, (
        f"cluster {cluster.name} ({cluster.id}) was accepted for {before.group}, and its tags name {says} now; "
        f"it stays of {before.group}; deploy the course to put its tags right"
    )


def _refused(cluster: SeenCluster, why: str) -> str:
    return (
        f"cluster {cluster.name} ({cluster.id}, made by {cluster.creator or 'an unknown account'}) claims to be of "
        f"{cluster.group} in {cluster.course} {cluster.term} and is not served: {why}"
    )


def foreign_claims(everything: Iterable[SeenCluster], pair: Pair | None, trust: Trust) -> list[str]:
    """Sentences about clusters with the tags of another course that nobody of the staff made."""
    return [
        _refused(cluster, f"its creator {cluster.creator} is neither an administrator of the workspace nor in [staff]")
        for cluster in everything
        if has_tags(cluster)
        and pair_of(cluster) != pair
        and cluster.creator
        and not trust.is_trusted(cluster)
        and trust.is_certain(cluster)
    ]


def legacy_clusters(everything: Iterable[SeenCluster]) -> tuple[SeenCluster, ...]:
    """The clusters that have no tags and are named as the earlier system named them."""
    return tuple(cluster for cluster in everything if not has_tags(cluster) and legacy_group_of(cluster.name))
