"""Runtimes: for how long one is lent, what it reaches, and the accelerator it has.

Revision ID: 0006_lending
Revises: 0005_sessions
"""

import sqlalchemy as sa
from alembic import op

revision = "0006_lending"
down_revision = "0005_sessions"
branch_labels = None
depends_on = None

IDLE_MS = 90 * 60_000
"""What held for every runtime before."""


def upgrade() -> None:
    """What was agreed when a runtime was asked for is kept with it."""
    with op.batch_alter_table("runtimes") as table:
        table.add_column(sa.Column("network", sa.String(16), nullable=False, server_default="none"))
        table.add_column(sa.Column("idle_ms", sa.BigInteger(), nullable=False, server_default=str(IDLE_MS)))
        table.add_column(sa.Column("lifetime_ms", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("keep_ms", sa.BigInteger(), nullable=False, server_default="0"))
        table.add_column(sa.Column("expires_at", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("boot", sa.String(64), nullable=False, server_default=""))
        table.add_column(sa.Column("accelerator", sa.String(64), nullable=True))
        table.add_column(sa.Column("unit", sa.String(256), nullable=True))


def downgrade() -> None:
    """Back to one time for all."""
    with op.batch_alter_table("runtimes") as table:
        for name in ("network", "idle_ms", "lifetime_ms", "keep_ms", "expires_at", "boot", "accelerator", "unit"):
            table.drop_column(name)
