"""Revisions of notebooks.

Revision ID: 0012_revisions
Revises: 0011_search
"""

revision = "0012_revisions"
down_revision = "0011_search"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
