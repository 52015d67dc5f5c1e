"""Which process owns a notebook, and its fence.

Revision ID: 0016_owners
Revises: 0015_notifications
"""

import sqlalchemy as sa
from alembic import op

revision = "0016_owners"
down_revision = "0015_notifications"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "worker",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
    )
    lead = op.create_table(
        "worker_lead",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("worker_id", sa.String(22), nullable=True),
        sa.Column("fence", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(lead, [{"id": 1, "worker_id": None, "fence": 0}])
    op.add_column("doc", sa.Column("owner", sa.String(22), nullable=True))
    op.add_column("doc", sa.Column("fence", sa.BigInteger, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("doc", "fence")
    op.drop_column("doc", "owner")
    op.drop_table("worker_lead")
    op.drop_table("worker")
