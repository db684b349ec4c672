"""The values of dynamic flags are recognised whatever their case."""

import hashlib
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = ("session_id", "name")


def upgrade() -> None:
    table = sa.table("session_flags", *map(sa.column, (*KEY, "value", "digest")))
    connection = op.get_bind()
    values = connection.execute(sa.select(*(table.c[name] for name in (*KEY, "value")))).all()
    change = sa.update(table).where(*(table.c[name] == sa.bindparam(f"its_{name}") for name in KEY))
    rows = [{"its_session_id": row[0], "its_name": row[1], "digest": _digest(row[2])} for row in values]
    if rows:
        connection.execute(change.values(digest=sa.bindparam("digest")), rows)


def _digest(value: str) -> str:
    folded = unicodedata.normalize("NFC", value.strip().casefold())
    return hashlib.sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()
