"""The tables of the ledger, as `migrations` creates them.

Instants are milliseconds since 1970 UTC, durations milliseconds, days ISO dates. The models are not bound to a
database: queries go through a `Ledger`.
"""

from functools import cache
from typing import Any

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
    CharField,
    CompositeKey,
    Context,
    IntegerField,
    Model,
    ModelSelect,
    TextField,
)


class _Select(ModelSelect):
    """A SELECT whose list of all columns is composed once. Peewee would compose it for each query, which takes longer
    than most queries.
    """

    _is_default: bool
    """Whether all columns are selected."""

    def __sql_selection__(self, ctx: Context, is_subquery: bool = False) -> Any:
        if is_subquery or not self._is_default:
            return super().__sql_selection__(ctx, is_subquery)
        return ctx.literal(_all_columns(self.model, ctx.alias_manager[self.model._meta.table]))


@cache
def _all_columns(table: type[Model], alias: str) -> str:
    return ", ".join(f'"{alias}"."{field.column_name}"' for field in table._meta.sorted_fields)


class Row(Model):
    class Meta:
        legacy_table_names = False

    @classmethod
    def select(cls, *columns: Any) -> Any:
        """Return a SELECT of these columns, or of all columns if none is given."""
        return _Select(cls, columns or cls._meta.sorted_fields, is_default=not columns)


class ClusterRow(Row):
    """The last known state of a cluster."""

    cluster_id: Any = CharField(primary_key=True)
    name: Any = TextField()
    group_name: Any = CharField(null=True)
    course: Any = CharField(default="")
    term: Any = CharField(default="")
    list_fingerprint: Any = TextField(default="")
    """The cluster's times in the list when its events were last read. If they change, the events are read again."""
    events_read_to: Any = BigIntegerField(default=0)
    first_seen: Any = BigIntegerField()
    last_seen: Any = BigIntegerField()
    last_running: Any = BigIntegerField(null=True)
    last_started: Any = BigIntegerField(null=True)
    last_terminated: Any = BigIntegerField(null=True)
    is_running: Any = BooleanField(default=False)
    gone_at: Any = BigIntegerField(null=True)
    """When the cluster was first missing from the list and unknown to the workspace."""

    class Meta:
        table_name = "cluster"


class EventRow(Row):
    """One event as the platform reported it. Rows never change, except when they are anonymised."""

    cluster_id: Any = CharField()
    at: Any = BigIntegerField()
    type: Any = CharField()
    user_name: Any = CharField(default="")
    workers: Any = IntegerField(null=True)
    idle: Any = BigIntegerField(null=True)
    failed: Any = BooleanField(default=False)
    raw: Any = TextField()

    class Meta:
        table_name = "event"
        primary_key = CompositeKey("cluster_id", "at", "type", "user_name")


class SessionRow(Row):
    """One session, computed from the events of its cluster; replaced when further events are known."""

    cluster_id: Any = CharField()
    start: Any = BigIntegerField()
    end: Any = BigIntegerField(null=True)
    started_by: Any = CharField(null=True)
    restarts: Any = TextField(default="[]")
    workers: Any = TextField(default="[]")
    estimate: Any = TextField(null=True)
    last_reported: Any = BigIntegerField(null=True)

    class Meta:
        table_name = "session"
        primary_key = CompositeKey("cluster_id", "start")


class StarterRow(Row):
    """A start or restart with the role of the user: student, staff or unknown. The role changes at most once, from
    unknown.
    """

    cluster_id: Any = CharField()
    at: Any = BigIntegerField()
    """The time of the event."""
    user_name: Any = CharField()
    role: Any = CharField()
    first_asked_at: Any = BigIntegerField(null=True)
    """When the role was first looked up; null if never."""

    class Meta:
        table_name = "starter"
        primary_key = CompositeKey("cluster_id", "at", "user_name")
        indexes = ((("role",), False),)


class AcceptedClusterRow(Row):
    """A cluster of the lab: its tags, group and creator were valid once, and it stays accepted."""

    cluster_id: Any = CharField(primary_key=True)
    course: Any = CharField()
    term: Any = CharField()
    group_name: Any = CharField()
    creator: Any = CharField(default="")
    """Empty if the cluster was accepted before creators were recorded."""
    accepted_at: Any = BigIntegerField()

    class Meta:
        table_name = "accepted_cluster"


class DayRow(Row):
    """A settled day of a cluster. Its totals are fixed."""

    cluster_id: Any = CharField()
    day: Any = CharField()
    group_name: Any = CharField()
    used: Any = BigIntegerField()
    soft: Any = BigIntegerField(null=True)
    hard: Any = BigIntegerField(null=True)
    overrun: Any = BigIntegerField(default=0)
    """How long the cluster ran past its hard limit."""
    uncounted: Any = BigIntegerField(default=0)
    """Uptime that did not count."""
    sessions: Any = IntegerField(default=0)
    estimate: Any = BooleanField(default=False)
    imported: Any = BooleanField(default=False)
    """Whether the total is from the legacy system. A total computed from events replaces it."""
    settled_at: Any = BigIntegerField()

    class Meta:
        table_name = "day"
        primary_key = CompositeKey("cluster_id", "day")


class ActionRow(Row):
    """An action and its result: recorded before it is carried out, updated afterwards."""

    id: Any = AutoField()
    kind: Any = CharField()
    cluster_id: Any = CharField()
    group_name: Any = CharField()
    reason: Any = TextField(default="")
    day: Any = CharField()
    noted_at: Any = BigIntegerField()
    done_at: Any = BigIntegerField(null=True)
    error: Any = TextField(null=True)

    class Meta:
        table_name = "action"


class MessageRow(Row):
    """The outbox: a message is rendered once, stored, and marked when the mail service has accepted it."""

    id: Any = AutoField()
    operation_id: Any = CharField(unique=True)
    """The message's id at the mail service, derived from kind, topic and limit."""
    kind: Any = CharField()
    period: Any = CharField()
    period_start: Any = CharField()
    topic: Any = CharField()
    """A cluster's id, or another value that makes such a message unique."""
    hard_limit: Any = BigIntegerField()
    part: Any = IntegerField(default=0)
    """Number of the part: a message with too many recipients for one email is sent in parts."""
    rank: Any = IntegerField()
    """Stops are sent before warnings, warnings before reports."""
    subject: Any = TextField()
    request_body: Any = TextField()
    """The request body, JSON. Once the message is sealed, every attempt sends these bytes."""
    queued_at: Any = BigIntegerField()
    sealed_at: Any = BigIntegerField(null=True)
    """When sender and copies were fixed: before the first attempt."""
    has_copy: Any = BooleanField(default=False)
    """Whether the sealed message includes the admin's copy."""
    needs_digest: Any = BooleanField(default=False)
    """Whether the message was sealed without a copy to the admin and is not yet listed in a digest."""
    due_at: Any = BigIntegerField()
    attempts: Any = IntegerField(default=0)
    last_failed_at: Any = BigIntegerField(null=True)
    failing_for: Any = BigIntegerField(default=0)
    """For how long attempts have failed; waiting does not count."""
    is_outcome_unknown: Any = BooleanField(default=False)
    """Whether the result of the last attempt is unknown; then the status is checked before the message is sent again.
    """
    accepted_at: Any = BigIntegerField(null=True)
    final_at: Any = BigIntegerField(null=True)
    """When the service reported the final status of an accepted message, or the status was checked for the last time.
    """
    refused_at: Any = BigIntegerField(null=True)
    """When the service refused the message itself, which then has a single recipient."""
    given_up_at: Any = BigIntegerField(null=True)
    error: Any = TextField(null=True)

    class Meta:
        table_name = "message"
        indexes = (
            (("kind", "period", "period_start", "topic", "hard_limit", "part"), True),
            (("accepted_at", "given_up_at"), False),
            (("sealed_at",), False),
        )


class MailCallRow(Row):
    """One call to the mail service, for the budgets."""

    at: Any = BigIntegerField(index=True)
    kind: Any = CharField()
    """`send` or `status`."""

    class Meta:
        table_name = "mail_call"


class PollRow(Row):
    """One completed poll."""

    began: Any = BigIntegerField(primary_key=True)
    ended: Any = BigIntegerField()
    failed: Any = IntegerField(default=0)
    calls: Any = TextField(default="{}")

    class Meta:
        table_name = "poll"


class RestrictedRow(Row):
    """A group that is restricted or about to be; recorded before its permission changes."""

    cluster_id: Any = CharField(primary_key=True)
    group_name: Any = CharField()
    restricted_at: Any = BigIntegerField()

    class Meta:
        table_name = "restricted"


class FileRow(Row):
    """A workspace file as last read. It is read again only if its version changed."""

    path: Any = CharField(primary_key=True)
    version: Any = CharField()
    """Modification time and size, from the listing."""
    content: Any = TextField()

    class Meta:
        table_name = "file"


class PageRow(Row):
    """A group's page as last written to the workspace."""

    folder: Any = CharField(primary_key=True)
    """The workspace folder of the page."""
    principal: Any = CharField()
    """The group that may read the folder."""
    address: Any = TextField()
    """The page's URL."""
    content: Any = CharField()
    """Digest of the content and the templates."""
    facts: Any = CharField()
    """Digest of the content without what changes by itself while a cluster is running."""
    text: Any = CharField()
    """Digests of the ids of the group's clusters and of the notebook, one after the other."""
    written_at: Any = BigIntegerField()

    class Meta:
        table_name = "page"


class TimeRequestRow(Row):
    """A group's request for more time, and its answer."""

    id: Any = CharField(primary_key=True)
    course: Any = CharField()
    term: Any = CharField()
    group_name: Any = CharField()
    asked_at: Any = BigIntegerField()
    minutes: Any = IntegerField(null=True)
    """Null if the file cannot be understood."""
    reason: Any = TextField(default="")
    """The group's own words."""
    state: Any = CharField()
    answer: Any = TextField(default="")
    answered_at: Any = BigIntegerField(null=True)
    minutes_given: Any = IntegerField(null=True)

    class Meta:
        table_name = "time_request"
        indexes = ((("course", "term", "asked_at"), False),)


class TimeRequestFileRow(Row):
    """A group's file for time requests: what is known about it and what was done."""

    path: Any = CharField(primary_key=True)
    version: Any = CharField(default="")
    """The version that was handled; empty if none was."""
    object_id: Any = CharField(default="")
    """The object on which the group was given its permission; empty if it was not."""
    principal: Any = CharField(default="")
    """The workspace's group that was given the permission."""
    read_day: Any = CharField(default="")
    reads: Any = IntegerField(default=0)
    """Number of changes that were handled on `read_day`."""

    class Meta:
        table_name = "time_request_file"


class NoteRow(Row):
    """Single values by name, such as the day of the last poll that read all permissions."""

    name: Any = CharField(primary_key=True)
    value: Any = TextField()

    class Meta:
        table_name = "note"


LEDGER_ID = "ledger id"
"""Name of the note that contains the ledger's own id."""
ANONYMISED_BEFORE = "anonymised before"
"""Name of the note that contains the time before which the ledger has no names of people, in milliseconds."""

TABLES = (
    ClusterRow,
    EventRow,
    SessionRow,
    StarterRow,
    AcceptedClusterRow,
    DayRow,
    ActionRow,
    MessageRow,
    MailCallRow,
    PollRow,
    RestrictedRow,
    FileRow,
    PageRow,
    TimeRequestRow,
    TimeRequestFileRow,
    NoteRow,
)
