"""What people are told, on the page and by mail.

Revision ID: 0015_notifications
Revises: 0014_comments
"""

import sqlalchemy as sa
from alembic import op

revision = "0015_notifications"
down_revision = "0014_comments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What each person was told, the mails that are still to be sent, and who wants none."""
    op.create_table(
        "notifications",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("user", sa.String(22), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("by", sa.String(22), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("item", sa.String(22), nullable=False),
        sa.Column("item_kind", sa.String(16), nullable=False),
        sa.Column("item_name", sa.String(255), nullable=False),
        sa.Column("thread", sa.String(22), nullable=True),
        sa.Column("comment", sa.String(22), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column("mail", sa.String(22), nullable=True),
    )
    op.create_index("ix_notifications_user_at", "notifications", ["user", "at"])
    op.create_index("ix_notifications_item", "notifications", ["item"])
    op.create_index("ix_notifications_mail", "notifications", ["mail"])
    op.create_table(
        "mails",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("user", sa.String(22), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("item", sa.String(22), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("begun", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("claim", sa.String(22), nullable=True),
        sa.Column("claimed_until", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("user", "item", name="uq_mails_user_item"),
    )
    op.create_index("ix_mails_due_at", "mails", ["due_at"])
    op.create_table(
        "notification_choices",
        sa.Column("user", sa.String(22), sa.ForeignKey("users.id"), primary_key=True),
        sa.Column("mail", sa.Boolean(), nullable=False),
    )


def downgrade() -> None:
    """Forget all of it."""
    for table in ("notification_choices", "mails", "notifications"):
        op.drop_table(table)
