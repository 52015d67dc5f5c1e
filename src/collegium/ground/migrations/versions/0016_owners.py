"""Which process owns a notebook, and its fence.

Revision ID: 0016_owners
Revises: 0015_notifications
"""

revision = "0016_owners"
down_revision = "0015_notifications"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
