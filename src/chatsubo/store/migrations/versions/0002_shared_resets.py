"""Resets of shared machines."""

import sqlalchemy as sa
from alembic import op

from chatsubo.store.types import Instant, Json

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LIVE = sa.text("state IN ('announced', 'resetting')")


def upgrade() -> None:
    op.create_table(
        "shared_resets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("box_id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("realm", sa.String(length=64), nullable=False),
        sa.Column("template", sa.String(length=128), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=False),
        sa.Column("asked_at", Instant, nullable=False),
        sa.Column("due_at", Instant, nullable=False, comment="when it begins; everyone was told before"),
        sa.Column(
            "state", sa.String(length=16), nullable=False, comment="announced, resetting, done, failed or cancelled"
        ),
        sa.Column("stage", Json, nullable=True, comment="a Text: what happens now"),
        sa.Column("ended_at", Instant, nullable=True),
        sa.Column("failure", Json, nullable=True, comment="a Text: why it failed"),
        sa.Column("failure_detail", sa.Text(), nullable=True, comment="likewise, for organisers"),
        sa.ForeignKeyConstraint(["asked_by"], ["accounts.id"], name=op.f("fk_shared_resets_asked_by_accounts")),
        sa.ForeignKeyConstraint(["box_id"], ["boxes.id"], name=op.f("fk_shared_resets_box_id_boxes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shared_resets")),
    )
    with op.batch_alter_table("shared_resets", schema=None) as batch_op:
        batch_op.create_index("ix_shared_resets_asked_by_asked_at", ["asked_by", "asked_at"], unique=False)
        batch_op.create_index(
            "uq_shared_resets_live",
            ["provider", "realm", "template"],
            unique=True,
            sqlite_where=LIVE,
            postgresql_where=LIVE,
        )
