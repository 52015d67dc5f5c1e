"""notebooks: documents, their updates, snapshots and the clients who wrote them"""

import sqlalchemy as sa
from alembic import op

revision = "0003_notebooks"
down_revision = "0002_drive"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "doc",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("epoch", sa.String(22), nullable=False),
        sa.Column("head_seq", sa.BigInteger, nullable=False),
        sa.Column("schema_v", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "doc_update",
        sa.Column("doc_id", sa.String(22), sa.ForeignKey("doc.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True),
        sa.Column("epoch", sa.String(22), nullable=False),
        sa.Column("client_id", sa.BigInteger, nullable=False),
        sa.Column("user_id", sa.String(22), nullable=True),
        sa.Column("conn_id", sa.String(22), nullable=True),
        sa.Column("ts", sa.BigInteger, nullable=False),
        sa.Column("origin", sa.String(40), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "doc_snapshot",
        sa.Column("doc_id", sa.String(22), sa.ForeignKey("doc.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True),
        sa.Column("epoch", sa.String(22), nullable=False),
        sa.Column("state_vector", sa.LargeBinary, nullable=False),
        sa.Column("payload_zstd", sa.LargeBinary, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("ts", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "doc_client",
        sa.Column("doc_id", sa.String(22), sa.ForeignKey("doc.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("client_id", sa.BigInteger, primary_key=True),
        sa.Column("user_id", sa.String(22), nullable=False),
        sa.Column("first_ts", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("doc_client")
    op.drop_table("doc_snapshot")
    op.drop_table("doc_update")
    op.drop_table("doc")
