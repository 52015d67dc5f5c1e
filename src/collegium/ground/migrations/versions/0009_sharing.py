"""Groups, what they are given, and links.

Revision ID: 0009_sharing
Revises: 0008_jupyter
"""

import sqlalchemy as sa
from alembic import op

revision = "0009_sharing"
down_revision = "0008_jupyter"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three kinds of sharing beside the one with people, and an end for each."""
    op.create_table(
        "groups",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("name_key", sa.String(320), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("name_key", name="uq_groups_name_key"),
    )
    op.create_table(
        "group_members",
        sa.Column("group", sa.String(22), sa.ForeignKey("groups.id", name="fk_group_members_group"), primary_key=True),
        sa.Column("user", sa.String(22), sa.ForeignKey("users.id", name="fk_group_members_user"), primary_key=True),
        sa.Column("added_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_group_members_user", "group_members", ["user"])
    op.create_table(
        "group_grants",
        sa.Column("item", sa.String(22), sa.ForeignKey("items.id", name="fk_group_grants_item"), primary_key=True),
        sa.Column("group", sa.String(22), sa.ForeignKey("groups.id", name="fk_group_grants_group"), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column(
            "created_by", sa.String(22), sa.ForeignKey("users.id", name="fk_group_grants_created_by"), nullable=False
        ),
    )
    op.create_index("ix_group_grants_group", "group_grants", ["group"])
    op.create_table(
        "links",
        sa.Column("item", sa.String(22), sa.ForeignKey("items.id", name="fk_links_item"), primary_key=True),
        sa.Column("audience", sa.String(16), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(22), sa.ForeignKey("users.id", name="fk_links_created_by"), nullable=False),
    )
    op.add_column("grants", sa.Column("expires_at", sa.BigInteger, nullable=True))


def downgrade() -> None:
    """Forget all of it."""
    op.drop_column("grants", "expires_at")
    for table in ("links", "group_grants", "group_members", "groups"):
        op.drop_table(table)
