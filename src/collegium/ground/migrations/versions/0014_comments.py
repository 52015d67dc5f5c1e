"""Threads of comments.

Revision ID: 0014_comments
Revises: 0013_overlaps
"""

revision = "0014_comments"
down_revision = "0013_overlaps"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
