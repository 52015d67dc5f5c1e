"""The models of widgets, as their kernel left them.

Revision ID: 0018_widgets
Revises: 0017_preferences
"""

revision = "0018_widgets"
down_revision = "0017_preferences"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
