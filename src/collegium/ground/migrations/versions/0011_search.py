"""What is looked for in names and cells.

Revision ID: 0011_search
Revises: 0010_drive
"""

revision = "0011_search"
down_revision = "0010_drive"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
