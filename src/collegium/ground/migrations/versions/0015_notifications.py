"""What people are told.

Revision ID: 0015_notifications
Revises: 0014_comments
"""

revision = "0015_notifications"
down_revision = "0014_comments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
