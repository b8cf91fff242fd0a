"""Decides which clusters belong to the lab and which only claim to do so. Pure.

A cluster of the lab has the tags of the course, a group that the course file lists, and a creator who is staff. Once
accepted, it stays accepted. Tags alone are a claim, because anyone who may create clusters can set them.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from enforcer.domain.observations import ObservedCluster
from labkit.course_file import ORIGIN, legacy_group_of

CourseTerm = tuple[str, str]
"""Course and term."""
_LABEL = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*")
"""Valid names of courses and terms; they become part of a workspace path."""


NO_FILE = "the course has no course file; deploy it, or set LAB_COURSE and LAB_TERM"


@dataclass(frozen=True)
class AcceptedCluster:
    """A cluster that was accepted as part of the lab."""

    course: str
    term: str
    group: str
    creator: str
    """Creator of the cluster; empty if not recorded."""


@dataclass(frozen=True)
class CreatorCheck:
    """Checks whether the creator of a cluster is trusted."""

    is_trusted: Callable[[ObservedCluster], bool]
    """Returns whether the creator of a cluster is staff."""
    is_certain: Callable[[ObservedCluster], bool]
    """Returns whether untrusted is certain: the administrators were read after the cluster was first seen."""


@dataclass(frozen=True)
class ClusterSelection:
    """The clusters of a course, and the clusters that only claim to belong to it."""

    clusters: tuple[ObservedCluster, ...] = ()
    """Clusters of the course, with the course, term and group for which they were accepted."""
    newly_accepted: tuple[ObservedCluster, ...] = ()
    """The clusters in `clusters` that were not accepted before."""
    claims: tuple[ObservedCluster, ...] = ()
    """Clusters that only claim to belong to the course and are not managed."""
    problems: tuple[str, ...] = ()


def has_tags(cluster: ObservedCluster) -> bool:
    """Return whether a cluster has all the tags that a deployment sets."""
    is_named = _LABEL.fullmatch(cluster.course) and _LABEL.fullmatch(cluster.term)
    return bool(cluster.origin == ORIGIN and is_named and cluster.group)


def course_term_of(cluster: ObservedCluster) -> CourseTerm:
    """Return course and term from the cluster's tags."""
    return cluster.course, cluster.term


def choose_course(
    found: Iterable[CourseTerm], course: str | None, term: str | None, known: CourseTerm | None
) -> tuple[CourseTerm | None, str | None]:
    """Return the course and term to manage, and a message if the choice is ambiguous.

    `found` are the courses in the tags of trusted clusters; `known` is the course managed last. The settings select the
    course if they name one; otherwise, the only course found is selected, or `known` if there are several. None with a
    message means that there are several and none was managed before; None without a message means that there is no
    course.
    """
    if course and term:
        return (course, term), None
    wanted = sorted(
        {course_term for course_term in found if course in (None, course_term[0]) and term in (None, course_term[1])}
    )
    if known and (course not in (None, known[0]) or term not in (None, known[1])):
        known = None
    if len(wanted) > 1:
        shown = ", ".join(f"{c} {t}" for c, t in wanted)
        unclear = f"the workspace has several courses ({shown}); set LAB_COURSE and LAB_TERM to one of them"
        return known, f"{unclear}; {known[0]} {known[1]} is managed meanwhile" if known else unclear
    return wanted[0] if wanted else known, None


def select_clusters(
    everything: Iterable[ObservedCluster],
    course_term: CourseTerm,
    *,
    groups: frozenset[str] | None,
    is_named: bool,
    accepted: Mapping[str, AcceptedCluster],
    creator_check: CreatorCheck,
) -> ClusterSelection:
    """Select the clusters that belong to a course in a term.

    `groups` are the groups in the course file. Without a course file (None), the settings have to name the course
    (`is_named`). A cluster that is not accepted yet and whose creator cannot be looked up is managed but not accepted,
    unless its group has an accepted cluster: missing information neither excludes a cluster of the lab nor accepts a
    foreign one.
    """
    everything = tuple(everything)
    clusters: list[ObservedCluster] = []
    new: list[ObservedCluster] = []
    claims: list[ObservedCluster] = []
    doubtful: list[ObservedCluster] = []
    problems: list[str] = []
    for cluster in everything:
        before = accepted.get(cluster.id)
        is_tagged = has_tags(cluster) and course_term_of(cluster) == course_term
        if before and (before.course, before.term) == course_term:
            restored, problem = _restored_tags(cluster, before, groups, is_tagged=is_tagged)
            clusters.append(restored)
            new += [restored] if restored.group != before.group else []
            problems += [problem] if problem else []
        elif not is_tagged:
            continue
        elif groups is None and not is_named:
            claims.append(cluster)
            problems.append(_claim_problem(cluster, NO_FILE))
        elif groups is not None and cluster.group not in groups:
            claims.append(cluster)
            problems.append(_claim_problem(cluster, "the course file does not list this group"))
        elif creator_check.is_trusted(cluster):
            clusters.append(cluster)
            new.append(cluster)
        elif cluster.creator and creator_check.is_certain(cluster):
            claims.append(cluster)
            why = f"its creator {cluster.creator} is neither a workspace administrator nor in [staff]"
            problems.append(_claim_problem(cluster, why))
        else:
            doubtful.append(cluster)
    taken = {cluster.group for cluster in clusters}
    for cluster in doubtful:
        creator = cluster.creator or "unknown"
        why = f"could not check whether its creator ({creator}) is a workspace administrator"
        if cluster.group in taken:
            claims.append(cluster)
            problems.append(_claim_problem(cluster, f"{why}, and the group has another cluster"))
        else:
            clusters.append(cluster)
            problems.append(
                f"cluster {cluster.name} ({cluster.id}) of {cluster.group} is managed on the basis of its "
                f"tags alone: {why}; make the enforcer an administrator, or add the creator to [staff] and deploy"
            )
    order = {cluster.id: number for number, cluster in enumerate(everything)}
    clusters.sort(key=lambda cluster: order[cluster.id])
    return ClusterSelection(tuple(clusters), tuple(new), tuple(claims), tuple(problems))


def _restored_tags(
    cluster: ObservedCluster, before: AcceptedCluster, groups: frozenset[str] | None, *, is_tagged: bool
) -> tuple[ObservedCluster, str | None]:
    """Return the cluster with the group for which it was accepted, and a message if its tags have changed."""
    kept = replace(cluster, course=before.course, term=before.term, group=before.group, origin=ORIGIN)
    if is_tagged and cluster.group == before.group:
        return cluster, None
    if is_tagged and groups is not None and cluster.group in groups and before.group not in groups:
        # A deployment renamed its group.
        return cluster, None
    tagged = f"{cluster.course} {cluster.term} {cluster.group}" if has_tags(cluster) else "no lab"
    return kept, (
        f"cluster {cluster.name} ({cluster.id}) was accepted for {before.group}, but its tags now name {tagged}; "
        f"it still belongs to {before.group}; deploy the course to correct its tags"
    )


def _claim_problem(cluster: ObservedCluster, why: str) -> str:
    return (
        f"cluster {cluster.name} ({cluster.id}, created by {cluster.creator or 'an unknown account'}) claims to "
        f"belong to {cluster.group} of {cluster.course} {cluster.term} and is not managed: {why}"
    )


def foreign_claims(
    everything: Iterable[ObservedCluster], course_term: CourseTerm | None, creator_check: CreatorCheck
) -> list[str]:
    """Return messages about clusters with the tags of a different course whose creator is not staff."""
    return [
        _claim_problem(cluster, f"its creator {cluster.creator} is neither a workspace administrator nor in [staff]")
        for cluster in everything
        if has_tags(cluster)
        and course_term_of(cluster) != course_term
        and cluster.creator
        and not creator_check.is_trusted(cluster)
        and creator_check.is_certain(cluster)
    ]


def legacy_clusters(everything: Iterable[ObservedCluster]) -> tuple[ObservedCluster, ...]:
    """Return the clusters without tags that are named as in the legacy system."""
    return tuple(cluster for cluster in everything if not has_tags(cluster) and legacy_group_of(cluster.name))
