"""Revisions of notebooks.

Revision ID: 0012_revisions
Revises: 0011_search
"""

import sqlalchemy as sa
from alembic import op

revision = "0012_revisions"
down_revision = "0011_search"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What a notebook said at numbered moments; each stands on a snapshot of its own."""
    op.create_table(
        "revisions",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("doc_id", sa.String(22), sa.ForeignKey("doc.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("label", sa.String(200), nullable=True),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(22), nullable=True),
        sa.Column("authors", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("shown_hash", sa.String(64), nullable=False),
        sa.Column("outputs", sa.Text(), nullable=False),
        sa.Column("undo", sa.Text(), nullable=True),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("doc_id", "number", name="uq_revisions_doc_id_number"),
    )


def downgrade() -> None:
    """Forget the revisions; the documents stay."""
    op.drop_table("revisions")
