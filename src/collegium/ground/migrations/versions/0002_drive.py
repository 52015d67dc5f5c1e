"""The tree of folders, notebooks and files, and who may see what."""

import sqlalchemy as sa
from alembic import op

revision = "0002_drive"
down_revision = "0001_accounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "items",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("owner", sa.String(22), sa.ForeignKey("users.id", name="fk_items_owner"), nullable=False),
        sa.Column("parent", sa.String(22), sa.ForeignKey("items.id", name="fk_items_parent"), nullable=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("blob", sa.String(64), nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("modified_at", sa.BigInteger, nullable=False),
        sa.Column("trashed_at", sa.BigInteger, nullable=True),
    )
    op.create_index("ix_items_owner_parent", "items", ["owner", "parent"])
    op.create_index("ix_items_parent", "items", ["parent"])
    op.create_index("ix_items_blob", "items", ["blob"])
    op.create_table(
        "grants",
        sa.Column("item", sa.String(22), sa.ForeignKey("items.id", name="fk_grants_item"), primary_key=True),
        sa.Column("user", sa.String(22), sa.ForeignKey("users.id", name="fk_grants_user"), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(22), sa.ForeignKey("users.id", name="fk_grants_created_by"), nullable=False),
    )
    op.create_index("ix_grants_user", "grants", ["user"])


def downgrade() -> None:
    raise NotImplementedError("Collegium migrates forward only; restore a backup to go back.")
