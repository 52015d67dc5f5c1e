"""Users, their logins and tokens, and the first administrator's link."""

import sqlalchemy as sa
from alembic import op

revision = "0001_accounts"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("email_key", sa.String(320), nullable=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("password", sa.String(256), nullable=True),
        sa.Column("admin", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("removed_at", sa.BigInteger, nullable=True),
        sa.UniqueConstraint("email_key", name="uq_users_email_key"),
    )
    op.create_table(
        "logins",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("user", sa.String(22), sa.ForeignKey("users.id", name="fk_logins_user"), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("agent", sa.String(256), nullable=False),
        sa.UniqueConstraint("secret_hash", name="uq_logins_secret_hash"),
    )
    op.create_index("ix_logins_user", "logins", ["user"])
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("user", sa.String(22), sa.ForeignKey("users.id", name="fk_tokens_user"), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=True),
        sa.Column("expires_at", sa.BigInteger, nullable=True),
        sa.UniqueConstraint("secret_hash", name="uq_tokens_secret_hash"),
    )
    op.create_index("ix_tokens_user", "tokens", ["user"])
    op.create_table(
        "setup_links",
        sa.Column("secret_hash", sa.String(64), primary_key=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    raise NotImplementedError("Collegium migrates forward only; restore a backup to go back.")
