"""What was opened and starred, playgrounds.

Revision ID: 0010_drive
Revises: 0009_sharing
"""

import sqlalchemy as sa
from alembic import op

revision = "0010_drive"
down_revision = "0009_sharing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No foreign key: a playground outlives the notebook that it was made of.
    op.add_column("items", sa.Column("playground_of", sa.String(22), nullable=True))
    op.create_index("ix_items_owner_playground_of", "items", ["owner", "playground_of"], unique=True)
    op.create_index("ix_items_trashed_at", "items", ["trashed_at"])
    op.create_table(
        "openings",
        sa.Column("user", sa.String(22), sa.ForeignKey("users.id", name="fk_openings_user"), primary_key=True),
        sa.Column("item", sa.String(22), sa.ForeignKey("items.id", name="fk_openings_item"), primary_key=True),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_openings_item", "openings", ["item"])
    op.create_index("ix_openings_user_opened_at", "openings", ["user", "opened_at"])
    op.create_table(
        "stars",
        sa.Column("user", sa.String(22), sa.ForeignKey("users.id", name="fk_stars_user"), primary_key=True),
        sa.Column("item", sa.String(22), sa.ForeignKey("items.id", name="fk_stars_item"), primary_key=True),
        sa.Column("starred_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_stars_item", "stars", ["item"])


def downgrade() -> None:
    raise NotImplementedError("Collegium migrates forward only; restore a backup to go back.")
