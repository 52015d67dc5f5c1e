"""The models of widgets, as their kernel left them.

Revision ID: 0018_widgets
Revises: 0017_preferences
"""

import sqlalchemy as sa
from alembic import op

revision = "0018_widgets"
down_revision = "0017_preferences"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What cells show of widgets whose kernel is gone."""
    op.create_table(
        "widget_states",
        sa.Column("notebook_id", sa.String(22), primary_key=True),
        sa.Column("states", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    """Those widgets are shown as text."""
    op.drop_table("widget_states")
