"""The tables of version 0.1, as SQL. This file never changes: later steps in `migrations` start from these tables."""

TABLES = (
    """
    CREATE TABLE cluster (
        cluster_id VARCHAR(255) NOT NULL PRIMARY KEY, name TEXT NOT NULL, group_name VARCHAR(255),
        course VARCHAR(255) NOT NULL, term VARCHAR(255) NOT NULL, moved TEXT NOT NULL,
        events_read_to BIGINT NOT NULL, first_seen BIGINT NOT NULL, last_seen BIGINT NOT NULL,
        last_running BIGINT, last_since BIGINT, last_terminated BIGINT, is_running BOOLEAN NOT NULL, gone BIGINT)""",
    """
    CREATE TABLE event (
        cluster_id VARCHAR(255) NOT NULL, at BIGINT NOT NULL, type VARCHAR(255) NOT NULL,
        user_name VARCHAR(255) NOT NULL, workers INTEGER, idle BIGINT, failed BOOLEAN NOT NULL, raw TEXT NOT NULL,
        PRIMARY KEY (cluster_id, at, type, user_name))""",
    """
    CREATE TABLE session (
        cluster_id VARCHAR(255) NOT NULL, start BIGINT NOT NULL, "end" BIGINT, started_by VARCHAR(255),
        restarts TEXT NOT NULL, workers TEXT NOT NULL, estimate TEXT, last_told BIGINT,
        PRIMARY KEY (cluster_id, start))""",
    """
    CREATE TABLE day (
        cluster_id VARCHAR(255) NOT NULL, day VARCHAR(255) NOT NULL, group_name VARCHAR(255) NOT NULL,
        used BIGINT NOT NULL, soft BIGINT, hard BIGINT, over BIGINT NOT NULL, shown_apart BIGINT NOT NULL,
        sessions INTEGER NOT NULL, estimate BOOLEAN NOT NULL, settled BIGINT NOT NULL,
        PRIMARY KEY (cluster_id, day))""",
    """
    CREATE TABLE action (
        id SERIAL NOT NULL PRIMARY KEY, kind VARCHAR(255) NOT NULL, cluster_id VARCHAR(255) NOT NULL,
        group_name VARCHAR(255) NOT NULL, reason TEXT NOT NULL, day VARCHAR(255) NOT NULL, noted BIGINT NOT NULL,
        done BIGINT, error TEXT)""",
    """
    CREATE TABLE letter (
        id SERIAL NOT NULL PRIMARY KEY, operation_id VARCHAR(255) NOT NULL, kind VARCHAR(255) NOT NULL,
        period VARCHAR(255) NOT NULL, first VARCHAR(255) NOT NULL, about VARCHAR(255) NOT NULL,
        "limit" BIGINT NOT NULL, part INTEGER NOT NULL, rank INTEGER NOT NULL, subject TEXT NOT NULL,
        payload TEXT NOT NULL, queued BIGINT NOT NULL, sealed BIGINT, has_copy BOOLEAN NOT NULL,
        wants_digest BOOLEAN NOT NULL, due BIGINT NOT NULL, attempts INTEGER NOT NULL, last_failure BIGINT,
        failing BIGINT NOT NULL, is_unclear BOOLEAN NOT NULL, accepted BIGINT, given_up BIGINT, error TEXT)""",
    "CREATE UNIQUE INDEX letter_operation_id ON letter (operation_id)",
    """
    CREATE UNIQUE INDEX letter_kind_period_first_about_limit_part
        ON letter (kind, period, first, about, "limit", part)""",
    "CREATE INDEX letter_accepted_given_up ON letter (accepted, given_up)",
    "CREATE INDEX letter_sealed ON letter (sealed)",
    "CREATE TABLE mail_call (id SERIAL NOT NULL PRIMARY KEY, at BIGINT NOT NULL, kind VARCHAR(255) NOT NULL)",
    "CREATE INDEX mail_call_at ON mail_call (at)",
    """
    CREATE TABLE poll (
        began BIGINT NOT NULL PRIMARY KEY, ended BIGINT NOT NULL, failed INTEGER NOT NULL, calls TEXT NOT NULL)""",
    """
    CREATE TABLE lowered (
        cluster_id VARCHAR(255) NOT NULL PRIMARY KEY, group_name VARCHAR(255) NOT NULL, since BIGINT NOT NULL)""",
    """
    CREATE TABLE file (
        path VARCHAR(255) NOT NULL PRIMARY KEY, version VARCHAR(255) NOT NULL, content TEXT NOT NULL)""",
    "CREATE TABLE note (name VARCHAR(255) NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
)
"""CREATE statements for tables and indexes, with the types of PostgreSQL."""
