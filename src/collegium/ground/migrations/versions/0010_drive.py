"""What was opened and starred, playgrounds.

Revision ID: 0010_drive
Revises: 0009_sharing
"""

revision = "0010_drive"
down_revision = "0009_sharing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
