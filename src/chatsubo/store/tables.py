"""The tables. A change here goes with a migration; a test compares the two."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from chatsubo.domain.sessions import LIVE
from chatsubo.store.types import Instant, Json

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_LIVE_RESET = "state IN ('announced', 'resetting')"
_LIVE = ", ".join(f"'{state}'" for state in sorted(LIVE))

accounts = Table(
    "accounts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("username", String(64), nullable=False),
    Column("username_key", String(64), nullable=False, unique=True, comment="the username without case"),
    Column("gate_name", String(32), nullable=False, unique=True, comment="what gates call it; never changes"),
    Column("password_hash", String(256), nullable=False),
    Column("role", String(16), nullable=False, comment="player or admin"),
    Column("language", String(8), comment="null: as the browser asks"),
    Column("theme", String(8), comment="null: as the browser asks"),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, comment="when it last asked for anything"),
    Column("banned_at", Instant, comment="null: it may come in"),
    Column("ban_reason", String(500), comment="what whoever is banned is told"),
    CheckConstraint("role in ('player', 'admin')", name="role"),
)

logins = Table(
    "logins",
    metadata,
    Column("digest", String(64), primary_key=True, comment="SHA-256 of the cookie's token"),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("address", String(64), nullable=False),
    Column("browser", String(256), nullable=False),
)

rate_limits = Table(
    "rate_limits",
    metadata,
    Column("key", String(160), primary_key=True, comment="what is limited, and for whom"),
    Column("window", BigInteger, primary_key=True, comment="the number of the time window"),
    Column("count", Integer, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
)

settings = Table(
    "settings",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Json, nullable=False),
)

tracks = Table(
    "tracks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("icon", String(64), nullable=False),
    Column("position", Integer, nullable=False),
    Column("deleted_at", Instant),
)

boxes = Table(
    "boxes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", String(128), nullable=False),
    Column("template", String(128), nullable=False),
    Column("dynamic", Boolean, nullable=False),
    Column("description", Text, nullable=False, comment="Markdown"),
    Column("os", String(16), nullable=False),
    Column("difficulty", Integer, nullable=False),
    Column("duration", Integer, nullable=False, comment="minutes that a session lasts"),
    Column("picture", String(128), comment="a name in the media folder; null: drawn from the name"),
    Column("authors", Json, nullable=False, comment="names, in order"),
    Column("track_id", ForeignKey("tracks.id"), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("released_at", Instant, comment="null: not seen by players yet"),
    Column("retired_at", Instant, comment="not null: no longer played"),
    Column("deleted_at", Instant),
    CheckConstraint("difficulty between 1 and 10", name="difficulty"),
    CheckConstraint("duration > 0", name="duration"),
)

flags = Table(
    "flags",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("box_id", ForeignKey("boxes.id"), nullable=False, index=True),
    Column("name", String(64), nullable=False),
    Column("value", String(512), nullable=False, comment="empty for a dynamic flag"),
    Column("points", Integer, nullable=False),
    Column("icon", String(64), nullable=False),
    Column("mark", String(8), comment="user, root or null"),
    Column("case_insensitive", Boolean, nullable=False),
    Column("dynamic", Boolean, nullable=False, comment="its value is read from each session's machine, by its name"),
    Column("position", Integer, nullable=False),
    Column("deleted_at", Instant),
    UniqueConstraint("box_id", "name"),
    CheckConstraint("points >= 0", name="points"),
    CheckConstraint("mark in ('user', 'root')", name="mark"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(36), primary_key=True, comment="UUID4"),
    Column("account_id", ForeignKey("accounts.id"), index=True, comment="null until a player owns it"),
    Column("box_id", ForeignKey("boxes.id"), index=True),
    Column("provider", String(64), nullable=False),
    Column("realm", String(64), nullable=False),
    Column("template", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("generation", Integer, nullable=False, comment="raised with each intent"),
    Column("verb", String(8), comment="the intent that is not done yet: start, reset, stop"),
    Column("asked_at", Instant, nullable=False, comment="when the intent was committed"),
    Column("admitted_at", Instant, comment="when the intent was given a place at the provider; null: it waits"),
    Column("values", Json, nullable=False, comment="SESSION, FLAGn, RNGn: secrets"),
    Column("duration", Integer, nullable=False, comment="minutes"),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant, comment="when the provider was asked first"),
    Column("ready_at", Instant, comment="when the machine was first ready"),
    Column("expires_at", Instant, comment="set once it runs"),
    Column("ended_at", Instant, index=True, comment="null: it is live"),
    Column("extensions", Integer, nullable=False, server_default="0"),
    Column("stage", Json, comment="a Text: what happens now"),
    Column("failure", Json, comment="a Text: why it failed, for the player"),
    Column("failure_detail", Text, comment="likewise, for organisers"),
    Column("address", String(255)),
    Column("readiness", String(16)),
    Column("endpoints", Json, nullable=False, server_default="[]"),
    Column("machines", Json, nullable=False, server_default="[]"),
    Column("creds", Json, nullable=False, server_default="[]"),
    Index(
        "ix_sessions_expires_at",
        "expires_at",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_sessions_provider_ready_at", "provider", "ready_at"),
    Index("ix_sessions_verb", "verb", sqlite_where=text("verb IS NOT NULL"), postgresql_where=text("verb IS NOT NULL")),
    Index(
        "uq_sessions_live",
        "account_id",
        "box_id",
        "realm",
        unique=True,
        sqlite_where=text(f"state IN ({_LIVE})"),
        postgresql_where=text(f"state IN ({_LIVE})"),
    ),
)

session_flags = Table(
    "session_flags",
    metadata,
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(64), primary_key=True, comment="lower-case, as on the machine's labels"),
    Column("value", String(512), nullable=False),
    Column("digest", String(64), nullable=False, index=True, comment="to recognise another player's value"),
)

session_logs = Table(
    "session_logs",
    metadata,
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("output", Text, nullable=False, comment="build and start output, the last 256 KiB"),
)

shared_resets = Table(
    "shared_resets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("box_id", ForeignKey("boxes.id"), nullable=False),
    Column("provider", String(64), nullable=False),
    Column("realm", String(64), nullable=False),
    Column("template", String(128), nullable=False),
    Column("asked_by", ForeignKey("accounts.id"), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False, comment="when it begins; everyone was told before"),
    Column("state", String(16), nullable=False, comment="announced, resetting, done, failed or cancelled"),
    Column("stage", Json, comment="a Text: what happens now"),
    Column("ended_at", Instant),
    Column("failure", Json, comment="a Text: why it failed"),
    Column("failure_detail", Text, comment="likewise, for organisers"),
    Index("ix_shared_resets_asked_by_asked_at", "asked_by", "asked_at"),
    Index(
        "uq_shared_resets_live",
        "provider",
        "realm",
        "template",
        unique=True,
        sqlite_where=text(_LIVE_RESET),
        postgresql_where=text(_LIVE_RESET),
    ),
)

submissions = Table(
    "submissions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("box_id", ForeignKey("boxes.id"), comment="the box that it was submitted for, or that the flag is of"),
    Column("flag_id", ForeignKey("flags.id")),
    Column("session_id", ForeignKey("sessions.id")),
    Column("value", String(512), nullable=False),
    Column("verdict", String(16), nullable=False, comment="correct, repeated, wrong or shared"),
    Column("shared_by", ForeignKey("accounts.id"), comment="whose value it was"),
    Column("at", Instant, nullable=False, index=True),
    Index("ix_submissions_account_id_at", "account_id", "at"),
)

solves = Table(
    "solves",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("flag_id", ForeignKey("flags.id"), nullable=False),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("session_id", ForeignKey("sessions.id")),
    Column("submission_id", ForeignKey("submissions.id"), nullable=False),
    Column("at", Instant, nullable=False),
    UniqueConstraint("flag_id", "account_id"),
)

notices = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), index=True, comment="null: for everyone"),
    Column("kind", String(16), nullable=False, comment="info, good or bad"),
    Column("text", Json, nullable=False, comment="a Text"),
    Column("link", String(255), comment="a path within the platform"),
    Column("at", Instant, nullable=False, index=True),
)

provider_listings = Table(
    "provider_listings",
    metadata,
    Column("provider", String(64), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("is_dynamic", Boolean, nullable=False),
    Column("realms", Json, nullable=False),
    Column("templates", Json, nullable=False),
    Column("instances", Json, nullable=False),
    Column("rejected", Json, nullable=False),
    Column("seen_at", Instant, comment="when the provider last answered well"),
    Column("took", Integer, comment="milliseconds that the last good answer took"),
    Column("problem", Json, comment="a Text: why it does not answer now"),
    Column("problem_detail", Text),
    Column("problem_since", Instant),
    comment="what each provider last showed: pages are made from it",
)

gate_bindings = Table(
    "gate_bindings",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("realm", String(64), primary_key=True),
    Column("url", String(255), nullable=False, comment="the gate that the player is bound to"),
    Column("key_digest", String(64), index=True, comment="of the key it gave: two accounts with one key are reported"),
    Column("at", Instant, nullable=False),
    Column("cut_off_at", Instant, comment="when an organiser cut the player off; null: the player may connect"),
)

gate_pictures = Table(
    "gate_pictures",
    metadata,
    Column("url", String(255), primary_key=True),
    Column("version", BigInteger, nullable=False, comment="the last that was allotted"),
    Column("taken", BigInteger, comment="the last that the gate took"),
    Column("digest", String(64), comment="of what it took"),
    comment="which picture of who may reach what each gate holds",
)

gate_reports = Table(
    "gate_reports",
    metadata,
    Column("url", String(255), primary_key=True),
    Column("kind", String(16), comment="wireguard or openvpn; null: the gate did not say"),
    Column("enforces", Boolean, comment="whether it has access control; null: it never answered"),
    Column("places", Integer),
    Column("free", Integer),
    Column("peers", Integer),
    Column("seen_at", Instant, comment="when it last answered"),
    Column("away", Boolean, nullable=False, comment="whether it does not answer now, or does not let us in"),
    Column("problem", Text, comment="what is wrong now, in English, for organisers"),
    Column("problem_since", Instant),
    comment="how each gate is: pages are made from it",
)

gate_connections = Table(
    "gate_connections",
    metadata,
    Column("url", String(255), primary_key=True),
    Column("gate_name", String(200), primary_key=True),
    Column("since", Instant, nullable=False),
    Column("received", BigInteger, nullable=False, comment="bytes from the player"),
    Column("sent", BigInteger, nullable=False, comment="bytes to the player"),
    Column("addresses", String(100), nullable=False, comment="where the player is in the tunnel, a space between two"),
    Column("gone_at", Instant, comment="when the connection ended; null: it is up"),
    Index("ix_gate_connections_gate_name", "gate_name"),
    comment="who is connected to which gate now, or was last",
)
