"""Where a file from outside and what people wrote met.

Revision ID: 0013_overlaps
Revises: 0012_revisions
"""

import sqlalchemy as sa
from alembic import op

revision = "0013_overlaps"
down_revision = "0012_revisions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Overlaps, the versions that outsiders have, and what is due to be tidied."""
    op.create_table(
        "overlaps",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("doc_id", sa.String(22), sa.ForeignKey("doc.id", ondelete="CASCADE"), nullable=False),
        sa.Column("cell_id", sa.String(64), nullable=False),
        sa.Column("base", sa.LargeBinary, nullable=True),
        sa.Column("ours", sa.LargeBinary, nullable=True),
        sa.Column("theirs", sa.LargeBinary, nullable=True),
        sa.Column("origin", sa.String(40), nullable=False),
        sa.Column("user_id", sa.String(22), nullable=False),
        sa.Column("ts", sa.BigInteger, nullable=False),
        sa.Column("resolved_by", sa.String(22), nullable=True),
        sa.Column("resolved_at", sa.BigInteger, nullable=True),
        sa.Column("resolution", sa.String(10), nullable=True),
    )
    op.create_index("ix_overlaps_doc_id", "overlaps", ["doc_id"])
    op.create_table(
        "file_bases",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("doc_id", sa.String(22), sa.ForeignKey("doc.id", ondelete="CASCADE"), nullable=False),
        sa.Column("user_id", sa.String(22), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("epoch", sa.String(22), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("content_zstd", sa.LargeBinary, nullable=True),
        sa.Column("outputs", sa.Text, nullable=True),
        sa.Column("ts", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_file_bases_doc_id", "file_bases", ["doc_id", "ts"])
    op.create_table(
        "doc_due",
        sa.Column("doc_id", sa.String(22), sa.ForeignKey("doc.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("ts", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_doc_due_ts", "doc_due", ["ts"])
    op.create_table(
        "doc_horizons",
        sa.Column("doc_id", sa.String(22), sa.ForeignKey("doc.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("state_vector", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table("doc_horizons")
    op.drop_table("doc_due")
    op.drop_table("file_bases")
    op.drop_table("overlaps")
