"""The first tables."""

import sqlalchemy as sa
from alembic import op

from chatsubo.store.types import Instant, Json

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _accounts()
    _provider_listings()
    _rate_limits()
    _settings()
    _tracks()
    _boxes()
    _gate_bindings()
    _logins()
    _notices()
    _flags()
    _sessions()
    _session_indexes()
    _session_flags()
    _session_logs()
    _submissions()
    _solves()


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("username_key", sa.String(length=64), nullable=False, comment="the username without case"),
        sa.Column("gate_name", sa.String(length=32), nullable=False, comment="what gates call it; never changes"),
        sa.Column("password_hash", sa.String(length=256), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False, comment="player or admin"),
        sa.Column("language", sa.String(length=8), nullable=True, comment="null: as the browser asks"),
        sa.Column("theme", sa.String(length=8), nullable=True, comment="null: as the browser asks"),
        sa.Column("created_at", Instant, nullable=False),
        sa.CheckConstraint("role in ('player', 'admin')", name=op.f("ck_accounts_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("gate_name", name=op.f("uq_accounts_gate_name")),
        sa.UniqueConstraint("username_key", name=op.f("uq_accounts_username_key")),
    )


def _provider_listings() -> None:
    op.create_table(
        "provider_listings",
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("is_dynamic", sa.Boolean(), nullable=False),
        sa.Column("realms", Json, nullable=False),
        sa.Column("templates", Json, nullable=False),
        sa.Column("instances", Json, nullable=False),
        sa.Column("rejected", Json, nullable=False),
        sa.Column("seen_at", Instant, nullable=True, comment="when the provider last answered well"),
        sa.Column("took", sa.Integer(), nullable=True, comment="milliseconds that the last good answer took"),
        sa.Column("problem", Json, nullable=True, comment="a Text: why it does not answer now"),
        sa.Column("problem_detail", sa.Text(), nullable=True),
        sa.Column("problem_since", Instant, nullable=True),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_provider_listings")),
        comment="what each provider last showed: pages are made from it",
    )


def _rate_limits() -> None:
    op.create_table(
        "rate_limits",
        sa.Column("key", sa.String(length=160), nullable=False, comment="what is limited, and for whom"),
        sa.Column("window", sa.BigInteger(), nullable=False, comment="the number of the time window"),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("key", "window", name=op.f("pk_rate_limits")),
    )
    with op.batch_alter_table("rate_limits", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rate_limits_expires_at"), ["expires_at"], unique=False)


def _settings() -> None:
    op.create_table(
        "settings",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", Json, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_settings")),
    )


def _tracks() -> None:
    op.create_table(
        "tracks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("icon", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("deleted_at", Instant, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracks")),
        sa.UniqueConstraint("slug", name=op.f("uq_tracks_slug")),
    )


def _boxes() -> None:
    op.create_table(
        "boxes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("template", sa.String(length=128), nullable=False),
        sa.Column("dynamic", sa.Boolean(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False, comment="Markdown"),
        sa.Column("os", sa.String(length=16), nullable=False),
        sa.Column("difficulty", sa.Integer(), nullable=False),
        sa.Column("duration", sa.Integer(), nullable=False, comment="minutes that a session lasts"),
        sa.Column(
            "picture",
            sa.String(length=128),
            nullable=True,
            comment="a name in the media folder; null: drawn from the name",
        ),
        sa.Column("authors", Json, nullable=False, comment="names, in order"),
        sa.Column("track_id", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("released_at", Instant, nullable=True, comment="null: not seen by players yet"),
        sa.Column("retired_at", Instant, nullable=True, comment="not null: no longer played"),
        sa.Column("deleted_at", Instant, nullable=True),
        sa.CheckConstraint("difficulty between 1 and 10", name=op.f("ck_boxes_difficulty")),
        sa.CheckConstraint("duration > 0", name=op.f("ck_boxes_duration")),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.id"], name=op.f("fk_boxes_track_id_tracks")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_boxes")),
        sa.UniqueConstraint("slug", name=op.f("uq_boxes_slug")),
    )
    with op.batch_alter_table("boxes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_boxes_track_id"), ["track_id"], unique=False)


def _gate_bindings() -> None:
    op.create_table(
        "gate_bindings",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("realm", sa.String(length=64), nullable=False),
        sa.Column("url", sa.String(length=255), nullable=False, comment="the gate that the player is bound to"),
        sa.Column(
            "key_digest",
            sa.String(length=64),
            nullable=True,
            comment="of the key it gave: two accounts with one key are reported",
        ),
        sa.Column("at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_gate_bindings_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "realm", name=op.f("pk_gate_bindings")),
    )
    with op.batch_alter_table("gate_bindings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gate_bindings_key_digest"), ["key_digest"], unique=False)


def _logins() -> None:
    op.create_table(
        "logins",
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the cookie's token"),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("seen_at", Instant, nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("browser", sa.String(length=256), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_logins_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_logins")),
    )
    with op.batch_alter_table("logins", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_logins_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_logins_expires_at"), ["expires_at"], unique=False)


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True, comment="null: for everyone"),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="info, good or bad"),
        sa.Column("text", Json, nullable=False, comment="a Text"),
        sa.Column("link", sa.String(length=255), nullable=True, comment="a path within the platform"),
        sa.Column("at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_notices_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notices_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_notices_at"), ["at"], unique=False)


def _flags() -> None:
    op.create_table(
        "flags",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("box_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=512), nullable=False, comment="empty for a dynamic flag"),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("icon", sa.String(length=64), nullable=False),
        sa.Column("mark", sa.String(length=8), nullable=True, comment="user, root or null"),
        sa.Column("case_insensitive", sa.Boolean(), nullable=False),
        sa.Column(
            "dynamic",
            sa.Boolean(),
            nullable=False,
            comment="its value is read from each session's machine, by its name",
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("deleted_at", Instant, nullable=True),
        sa.CheckConstraint("mark in ('user', 'root')", name=op.f("ck_flags_mark")),
        sa.CheckConstraint("points >= 0", name=op.f("ck_flags_points")),
        sa.ForeignKeyConstraint(["box_id"], ["boxes.id"], name=op.f("fk_flags_box_id_boxes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flags")),
        sa.UniqueConstraint("box_id", "name", name=op.f("uq_flags_box_id_name")),
    )
    with op.batch_alter_table("flags", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_flags_box_id"), ["box_id"], unique=False)


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=36), nullable=False, comment="UUID4"),
        sa.Column("account_id", sa.Integer(), nullable=True, comment="null until a player owns it"),
        sa.Column("box_id", sa.Integer(), nullable=True),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("realm", sa.String(length=64), nullable=False),
        sa.Column("template", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False, comment="raised with each intent"),
        sa.Column(
            "verb", sa.String(length=8), nullable=True, comment="the intent that is not done yet: start, reset, stop"
        ),
        sa.Column("asked_at", Instant, nullable=False, comment="when the intent was committed"),
        sa.Column(
            "admitted_at",
            Instant,
            nullable=True,
            comment="when the intent was given a place at the provider; null: it waits",
        ),
        sa.Column("values", Json, nullable=False, comment="SESSION, FLAGn, RNGn: secrets"),
        sa.Column("duration", sa.Integer(), nullable=False, comment="minutes"),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("started_at", Instant, nullable=True, comment="when the provider was asked first"),
        sa.Column("ready_at", Instant, nullable=True, comment="when the machine was first ready"),
        sa.Column("expires_at", Instant, nullable=True, comment="set once it runs"),
        sa.Column("ended_at", Instant, nullable=True, comment="null: it is live"),
        sa.Column("extensions", sa.Integer(), server_default="0", nullable=False),
        sa.Column("stage", Json, nullable=True, comment="a Text: what happens now"),
        sa.Column("failure", Json, nullable=True, comment="a Text: why it failed, for the player"),
        sa.Column("failure_detail", sa.Text(), nullable=True, comment="likewise, for organisers"),
        sa.Column("address", sa.String(length=255), nullable=True),
        sa.Column("readiness", sa.String(length=16), nullable=True),
        sa.Column("endpoints", Json, server_default="[]", nullable=False),
        sa.Column("machines", Json, server_default="[]", nullable=False),
        sa.Column("creds", Json, server_default="[]", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_sessions_account_id_accounts")),
        sa.ForeignKeyConstraint(["box_id"], ["boxes.id"], name=op.f("fk_sessions_box_id_boxes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )


def _session_indexes() -> None:
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sessions_box_id"), ["box_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sessions_ended_at"), ["ended_at"], unique=False)
        batch_op.create_index(
            "ix_sessions_expires_at",
            ["expires_at"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.create_index("ix_sessions_provider_ready_at", ["provider", "ready_at"], unique=False)
        batch_op.create_index(
            "ix_sessions_verb",
            ["verb"],
            unique=False,
            sqlite_where=sa.text("verb IS NOT NULL"),
            postgresql_where=sa.text("verb IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_sessions_live",
            ["account_id", "box_id", "realm"],
            unique=True,
            sqlite_where=sa.text("state IN ('provisioning', 'queued', 'resetting', 'running', 'stopping')"),
            postgresql_where=sa.text("state IN ('provisioning', 'queued', 'resetting', 'running', 'stopping')"),
        )


def _session_flags() -> None:
    op.create_table(
        "session_flags",
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False, comment="lower-case, as on the machine's labels"),
        sa.Column("value", sa.String(length=512), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="to recognise another player's value"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_session_flags_session_id_sessions"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", "name", name=op.f("pk_session_flags")),
    )
    with op.batch_alter_table("session_flags", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_session_flags_digest"), ["digest"], unique=False)


def _session_logs() -> None:
    op.create_table(
        "session_logs",
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("output", sa.Text(), nullable=False, comment="build and start output, the last 256 KiB"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_session_logs_session_id_sessions"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_session_logs")),
    )


def _submissions() -> None:
    op.create_table(
        "submissions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column(
            "box_id", sa.Integer(), nullable=True, comment="the box that it was submitted for, or that the flag is of"
        ),
        sa.Column("flag_id", sa.Integer(), nullable=True),
        sa.Column("session_id", sa.String(length=36), nullable=True),
        sa.Column("value", sa.String(length=512), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False, comment="correct, repeated, wrong or shared"),
        sa.Column("shared_by", sa.Integer(), nullable=True, comment="whose value it was"),
        sa.Column("at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_submissions_account_id_accounts")),
        sa.ForeignKeyConstraint(["box_id"], ["boxes.id"], name=op.f("fk_submissions_box_id_boxes")),
        sa.ForeignKeyConstraint(["flag_id"], ["flags.id"], name=op.f("fk_submissions_flag_id_flags")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_submissions_session_id_sessions")),
        sa.ForeignKeyConstraint(["shared_by"], ["accounts.id"], name=op.f("fk_submissions_shared_by_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
    )
    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.create_index("ix_submissions_account_id_at", ["account_id", "at"], unique=False)
        batch_op.create_index(batch_op.f("ix_submissions_at"), ["at"], unique=False)


def _solves() -> None:
    op.create_table(
        "solves",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("flag_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=True),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_solves_account_id_accounts")),
        sa.ForeignKeyConstraint(["flag_id"], ["flags.id"], name=op.f("fk_solves_flag_id_flags")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_solves_session_id_sessions")),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name=op.f("fk_solves_submission_id_submissions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_solves")),
        sa.UniqueConstraint("flag_id", "account_id", name=op.f("uq_solves_flag_id_account_id")),
    )
    with op.batch_alter_table("solves", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_solves_account_id"), ["account_id"], unique=False)
