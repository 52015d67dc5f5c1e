"""Where a file from outside and what people wrote met.

Revision ID: 0013_overlaps
Revises: 0012_revisions
"""

revision = "0013_overlaps"
down_revision = "0012_revisions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
