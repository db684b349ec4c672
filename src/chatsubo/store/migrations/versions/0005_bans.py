"""Accounts that are banned, and when each was last seen."""

import sqlalchemy as sa
from alembic import op

from chatsubo.store.types import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SEEN = "UPDATE accounts SET seen_at = (SELECT max(seen_at) FROM logins WHERE logins.account_id = accounts.id)"


def upgrade() -> None:
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("seen_at", Instant, nullable=True, comment="when it last asked for anything"))
        batch_op.add_column(sa.Column("banned_at", Instant, nullable=True, comment="null: it may come in"))
        reason = sa.Column("ban_reason", sa.String(length=500), nullable=True, comment="what whoever is banned is told")
        batch_op.add_column(reason)
    op.execute(SEEN)
