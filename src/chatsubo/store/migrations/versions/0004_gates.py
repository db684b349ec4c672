"""What gates were told, how they are, who is connected to them, and who was cut off."""

import sqlalchemy as sa
from alembic import op

from chatsubo.store.types import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("gate_bindings", schema=None) as batch_op:
        comment = "when an organiser cut the player off; null: the player may connect"
        batch_op.add_column(sa.Column("cut_off_at", Instant, nullable=True, comment=comment))
    op.create_table(
        "gate_pictures",
        sa.Column("url", sa.String(length=255), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="the last that was allotted"),
        sa.Column("taken", sa.BigInteger(), nullable=True, comment="the last that the gate took"),
        sa.Column("digest", sa.String(length=64), nullable=True, comment="of what it took"),
        sa.PrimaryKeyConstraint("url", name=op.f("pk_gate_pictures")),
        comment="which picture of who may reach what each gate holds",
    )
    op.create_table(
        "gate_reports",
        sa.Column("url", sa.String(length=255), nullable=False),
        sa.Column(
            "kind", sa.String(length=16), nullable=True, comment="wireguard or openvpn; null: the gate did not say"
        ),
        sa.Column(
            "enforces", sa.Boolean(), nullable=True, comment="whether it has access control; null: it never answered"
        ),
        sa.Column("places", sa.Integer(), nullable=True),
        sa.Column("free", sa.Integer(), nullable=True),
        sa.Column("peers", sa.Integer(), nullable=True),
        sa.Column("seen_at", Instant, nullable=True, comment="when it last answered"),
        sa.Column(
            "away", sa.Boolean(), nullable=False, comment="whether it does not answer now, or does not let us in"
        ),
        sa.Column("problem", sa.Text(), nullable=True, comment="what is wrong now, in English, for organisers"),
        sa.Column("problem_since", Instant, nullable=True),
        sa.PrimaryKeyConstraint("url", name=op.f("pk_gate_reports")),
        comment="how each gate is: pages are made from it",
    )
    op.create_table(
        "gate_connections",
        sa.Column("url", sa.String(length=255), nullable=False),
        sa.Column("gate_name", sa.String(length=200), nullable=False),
        sa.Column("since", Instant, nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False, comment="bytes from the player"),
        sa.Column("sent", sa.BigInteger(), nullable=False, comment="bytes to the player"),
        sa.Column(
            "addresses",
            sa.String(length=100),
            nullable=False,
            comment="where the player is in the tunnel, a space between two",
        ),
        sa.Column("gone_at", Instant, nullable=True, comment="when the connection ended; null: it is up"),
        sa.PrimaryKeyConstraint("url", "gate_name", name=op.f("pk_gate_connections")),
        comment="who is connected to which gate now, or was last",
    )
    op.create_index("ix_gate_connections_gate_name", "gate_connections", ["gate_name"])
