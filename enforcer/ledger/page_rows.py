"""Queries on the groups' pages, and on what they show from the ledger."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import fn

from enforcer.domain.message_kinds import LIMIT_KINDS, MessageKind
from enforcer.domain.timestamps import from_millis, to_millis
from enforcer.ledger.database import Ledger
from enforcer.ledger.models import MessageRow, PageRow, SessionRow


@dataclass(frozen=True)
class StoredPage:
    """A group's page as last written to the workspace."""

    folder: str
    """The workspace folder of the page."""
    principal: str
    """The group that may read the folder."""
    address: str
    """The page's URL."""
    content: str
    """Digest of the content and the templates."""
    facts: str
    """Digest of the content without what changes by itself while a cluster is running."""
    text: str
    """Digests of the ids of the group's clusters and of the notebook, one after the other."""
    written: datetime


@dataclass(frozen=True)
class SentNotice:
    """A message about a limit, sent or waiting."""

    kind: MessageKind
    queued: datetime
    subject: str


def stored_pages(ledger: Ledger) -> dict[str, StoredPage]:
    """Return all pages by folder."""
    return {
        row.folder: StoredPage(
            row.folder, row.principal, row.address, row.content, row.facts, row.text, from_millis(row.written_at)
        )
        for row in ledger.select(PageRow)
    }


def store_page(ledger: Ledger, page: StoredPage) -> None:
    ledger.put(
        PageRow,
        folder=page.folder,
        principal=page.principal,
        address=page.address,
        content=page.content,
        facts=page.facts,
        text=page.text,
        written_at=to_millis(page.written),
    )


def forget_pages(ledger: Ledger, folders: Iterable[str]) -> None:
    """Delete these pages from the ledger, so that they are written again."""
    ledger.delete(PageRow).where(PageRow.folder.in_(list(folders))).execute()


def forget_pages_below(ledger: Ledger, folder: str) -> None:
    """Delete the pages below a workspace folder from the ledger."""
    ledger.delete(PageRow).where(PageRow.folder.startswith(f"{folder}/")).execute()


def address_of(ledger: Ledger, folder: str) -> str:
    """Return the URL of the page in a folder; empty if it was never written."""
    row = ledger.select(PageRow, PageRow.address).where(PageRow.folder == folder).first()
    return row.address if row else ""


def last_ends(ledger: Ledger) -> dict[str, datetime]:
    """Return the end of the last session of each cluster that ever ran, by cluster id."""
    query: Any = ledger.select(SessionRow, SessionRow.cluster_id, fn.MAX(SessionRow.end))
    rows = query.where(SessionRow.end.is_null(False)).group_by(SessionRow.cluster_id).tuples()
    return {cluster_id: from_millis(end) for cluster_id, end in rows}


def latest_notices(ledger: Ledger, group_by_cluster: Mapping[str, str], *, most: int) -> dict[str, list[SentNotice]]:
    """Return the latest messages about the limits of each group, the latest first; without those given up."""
    query = ledger.select(
        MessageRow, MessageRow.topic, MessageRow.kind, MessageRow.queued_at, MessageRow.subject
    ).where(
        MessageRow.kind.in_([kind.value for kind in LIMIT_KINDS])
        & (MessageRow.part == 0)
        & MessageRow.given_up_at.is_null()
    )
    rows: Any = query.order_by(MessageRow.queued_at.desc(), MessageRow.id.desc()).tuples()
    found: dict[str, list[SentNotice]] = {}
    for topic, kind, queued, subject in rows:
        group = group_by_cluster.get(topic)
        if group is not None and len(found.setdefault(group, [])) < most:
            found[group].append(SentNotice(MessageKind(kind), from_millis(queued), subject))
    return found
