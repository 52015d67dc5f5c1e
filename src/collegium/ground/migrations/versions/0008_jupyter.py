"""The Jupyter API: kernels that its clients started, what they call them, and checkpoints of files.

Revision ID: 0008_jupyter
Revises: 0007_environments
"""

import sqlalchemy as sa
from alembic import op

revision = "0008_jupyter"
down_revision = "0007_environments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three tables, none of which refers to what can be deleted elsewhere."""
    op.create_table(
        "jupyter_kernels",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("user_id", sa.String(22), nullable=False),
        sa.Column("runtime_id", sa.String(22), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_jupyter_kernels_user_id", "jupyter_kernels", ["user_id"])
    op.create_table(
        "jupyter_sessions",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("user_id", sa.String(22), nullable=False),
        sa.Column("kernel_id", sa.String(22), nullable=False),
        sa.Column("path", sa.String(4096), nullable=False),
        sa.Column("name", sa.String(4096), nullable=False),
        sa.Column("type", sa.String(100), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_jupyter_sessions_user_id", "jupyter_sessions", ["user_id"])
    op.create_table(
        "jupyter_checkpoints",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("item_id", sa.String(22), nullable=False),
        sa.Column("blob", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_jupyter_checkpoints_item_id", "jupyter_checkpoints", ["item_id"])
    op.create_index("ix_jupyter_checkpoints_blob", "jupyter_checkpoints", ["blob"])


def downgrade() -> None:
    """Forget all of it."""
    for table in ("jupyter_checkpoints", "jupyter_sessions", "jupyter_kernels"):
        op.drop_table(table)
