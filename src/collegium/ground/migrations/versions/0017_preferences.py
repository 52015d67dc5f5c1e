"""What each person set about the page.

Revision ID: 0017_preferences
Revises: 0016_owners
"""

import sqlalchemy as sa
from alembic import op

revision = "0017_preferences"
down_revision = "0016_owners"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "preferences",
        sa.Column("user", sa.String(22), sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("preferences")
