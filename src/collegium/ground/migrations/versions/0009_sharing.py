"""Groups, what they are given, and links.

Revision ID: 0009_sharing
Revises: 0008_jupyter
"""

revision = "0009_sharing"
down_revision = "0008_jupyter"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
