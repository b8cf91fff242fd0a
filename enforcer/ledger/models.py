"""The tables of the ledger. Instants are milliseconds since 1970 UTC, durations milliseconds, days ISO dates.

The models are bound to no database: queries go through a `Ledger`, which knows its own.
"""

from typing import Any

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
    CharField,
    CompositeKey,
    IntegerField,
    Model,
    TextField,
)


class Row(Model):
    class Meta:
        legacy_table_names = False


class ClusterRow(Row):
    """What was last known of a cluster."""

    cluster_id: Any = CharField(primary_key=True)
    name: Any = TextField()
    group_name: Any = CharField(null=True)
    course: Any = CharField(default="")
    term: Any = CharField(default="")
    moved: Any = TextField(default="")
    """The list's own times when its events were last read: a difference asks to read them again."""
    events_read_to: Any = BigIntegerField(default=0)
    first_seen: Any = BigIntegerField()
    last_seen: Any = BigIntegerField()
    last_running: Any = BigIntegerField(null=True)
    last_since: Any = BigIntegerField(null=True)
    last_terminated: Any = BigIntegerField(null=True)
    is_running: Any = BooleanField(default=False)
    gone: Any = BigIntegerField(null=True)
    """When it was first missing from the list and unknown to the workspace."""

    class Meta:
        table_name = "cluster"


class EventRow(Row):
    """One event as the platform told it: facts, never changed."""

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
    """One session, as the events of its cluster tell of it; replaced when better facts come."""

    cluster_id: Any = CharField()
    start: Any = BigIntegerField()
    end: Any = BigIntegerField(null=True)
    started_by: Any = CharField(null=True)
    restarts: Any = TextField(default="[]")
    workers: Any = TextField(default="[]")
    estimate: Any = TextField(null=True)
    last_told: Any = BigIntegerField(null=True)

    class Meta:
        table_name = "session"
        primary_key = CompositeKey("cluster_id", "start")


class StarterRow(Row):
    """Who started or restarted a cluster: student, staff or unknown. It changes once, from unknown."""

    cluster_id: Any = CharField()
    at: Any = BigIntegerField()
    """Of the event."""
    user_name: Any = CharField()
    role: Any = CharField()
    asked: Any = BigIntegerField(null=True)
    """When the role was first looked for; null: never."""

    class Meta:
        table_name = "starter"
        primary_key = CompositeKey("cluster_id", "at", "user_name")
        indexes = ((("role",), False),)


class AcceptedRow(Row):
    """A cluster that is of the lab: its tags, group and creator were right once, and it stays so."""

    cluster_id: Any = CharField(primary_key=True)
    course: Any = CharField()
    term: Any = CharField()
    group_name: Any = CharField()
    creator: Any = CharField(default="")
    """Empty: from before creators were noted."""
    since: Any = BigIntegerField()

    class Meta:
        table_name = "accepted"


class DayRow(Row):
    """A settled day of a cluster: history, fixed."""

    cluster_id: Any = CharField()
    day: Any = CharField()
    group_name: Any = CharField()
    used: Any = BigIntegerField()
    soft: Any = BigIntegerField(null=True)
    hard: Any = BigIntegerField(null=True)
    over: Any = BigIntegerField(default=0)
    """How long it ran past its hard limit."""
    shown_apart: Any = BigIntegerField(default=0)
    """Uptime that did not count."""
    sessions: Any = IntegerField(default=0)
    estimate: Any = BooleanField(default=False)
    imported: Any = BooleanField(default=False)
    """The earlier system's figure: it gives way to one that was made from events."""
    settled: Any = BigIntegerField()

    class Meta:
        table_name = "day"
        primary_key = CompositeKey("cluster_id", "day")


class ActionRow(Row):
    """An intent and what became of it: noted before the deed, finished after it."""

    id: Any = AutoField()
    kind: Any = CharField()
    cluster_id: Any = CharField()
    group_name: Any = CharField()
    reason: Any = TextField(default="")
    day: Any = CharField()
    noted: Any = BigIntegerField()
    done: Any = BigIntegerField(null=True)
    error: Any = TextField(null=True)

    class Meta:
        table_name = "action"


class LetterRow(Row):
    """The outbox: a letter is rendered once, stored, and marked after it was accepted."""

    id: Any = AutoField()
    operation_id: Any = CharField(unique=True)
    """The letter's name at the mail service; it follows from what the letter is about."""
    kind: Any = CharField()
    period: Any = CharField()
    first: Any = CharField()
    about: Any = CharField()
    """A cluster's id, or whatever else such a letter is about."""
    limit: Any = BigIntegerField()
    part: Any = IntegerField(default=0)
    """A letter to more people than one mail takes goes in parts."""
    rank: Any = IntegerField()
    """Stops go before warnings, warnings before reports."""
    subject: Any = TextField()
    payload: Any = TextField()
    """The message as JSON; once it is sealed, the bytes that are sent, the same every time."""
    queued: Any = BigIntegerField()
    sealed: Any = BigIntegerField(null=True)
    """When sender and copies were settled: before the first attempt."""
    has_copy: Any = BooleanField(default=False)
    """It was sealed with the admin's copy."""
    wants_digest: Any = BooleanField(default=False)
    """It was sealed without the admin's copy, and no digest tells of it yet."""
    due: Any = BigIntegerField()
    attempts: Any = IntegerField(default=0)
    last_failure: Any = BigIntegerField(null=True)
    failing: Any = BigIntegerField(default=0)
    """For how long attempts have failed; waiting does not count."""
    is_unclear: Any = BooleanField(default=False)
    """The outcome of the last attempt is unknown: its status is asked before it is sent again."""
    accepted: Any = BigIntegerField(null=True)
    final: Any = BigIntegerField(null=True)
    """When the service said what became of an accepted letter, or was asked for the last time."""
    refused: Any = BigIntegerField(null=True)
    """When the service refused the letter itself, which has a single recipient."""
    given_up: Any = BigIntegerField(null=True)
    error: Any = TextField(null=True)

    class Meta:
        table_name = "letter"
        indexes = (
            (("kind", "period", "first", "about", "limit", "part"), True),
            (("accepted", "given_up"), False),
            (("sealed",), False),
        )


class MailCallRow(Row):
    """One call to the mail service, for the budgets."""

    at: Any = BigIntegerField(index=True)
    kind: Any = CharField()
    """`send` or `status`."""

    class Meta:
        table_name = "mail_call"


class PollRow(Row):
    """One poll that ran to its end."""

    began: Any = BigIntegerField(primary_key=True)
    ended: Any = BigIntegerField()
    failed: Any = IntegerField(default=0)
    calls: Any = TextField(default="{}")

    class Meta:
        table_name = "poll"


class LoweredRow(Row):
    """A group that was lowered, or is about to be; noted before the deed."""

    cluster_id: Any = CharField(primary_key=True)
    group_name: Any = CharField()
    since: Any = BigIntegerField()

    class Meta:
        table_name = "lowered"


class FileRow(Row):
    """A workspace file as last read: its content is asked for only when it changed."""

    path: Any = CharField(primary_key=True)
    version: Any = CharField()
    """Modification time and size, from the listing."""
    content: Any = TextField()

    class Meta:
        table_name = "file"


class NoteRow(Row):
    """Small facts by name, such as the day of the last poll that read all permissions."""

    name: Any = CharField(primary_key=True)
    value: Any = TextField()

    class Meta:
        table_name = "note"


LEDGER_ID = "ledger id"
"""The note with the ledger's own name."""

TABLES = (
    ClusterRow,
    EventRow,
    SessionRow,
    StarterRow,
    AcceptedRow,
    DayRow,
    ActionRow,
    LetterRow,
    MailCallRow,
    PollRow,
    LoweredRow,
    FileRow,
    NoteRow,
)
