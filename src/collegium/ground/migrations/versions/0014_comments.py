"""Threads of comments.

Revision ID: 0014_comments
Revises: 0013_overlaps
"""

import sqlalchemy as sa
from alembic import op

revision = "0014_comments"
down_revision = "0013_overlaps"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Threads, and the comments in them."""
    op.create_table(
        "comment_threads",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("notebook", sa.String(22), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("cell", sa.String(64), nullable=False),
        sa.Column("anchor", sa.Text(), nullable=True),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("resolved_by", sa.String(22), sa.ForeignKey("users.id"), nullable=True),
        sa.UniqueConstraint("notebook", "number", name="uq_comment_threads_notebook_number"),
    )
    op.create_table(
        "comments",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("thread", sa.String(22), sa.ForeignKey("comment_threads.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(22), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("draft", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("mentions", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.UniqueConstraint("thread", "number", name="uq_comments_thread_number"),
        sa.UniqueConstraint("by", "draft", name="uq_comments_by_draft"),
    )


def downgrade() -> None:
    """Forget all of it."""
    op.drop_table("comments")
    op.drop_table("comment_threads")
