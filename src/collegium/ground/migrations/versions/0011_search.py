"""Words by which items are found.

What lies in drives already has no row in `search_texts`: that is the mark by which it is taken in later.

Revision ID: 0011_search
Revises: 0010_drive
"""

import sqlalchemy as sa
from alembic import op

revision = "0011_search"
down_revision = "0010_drive"
branch_labels = None
depends_on = None

SQLITE = (
    # The words are looked up in `search_texts`; this holds nothing but where each of them is.
    "CREATE VIRTUAL TABLE search_words USING fts5(name_words, text_words, "
    "content='search_texts', content_rowid='number', detail='column', prefix='1 2 3', tokenize='ascii')",
    "CREATE TRIGGER search_texts_inserted AFTER INSERT ON search_texts BEGIN "
    "INSERT INTO search_words (rowid, name_words, text_words) VALUES (new.number, new.name_words, new.text_words); END",
    "CREATE TRIGGER search_texts_deleted AFTER DELETE ON search_texts BEGIN "
    "INSERT INTO search_words (search_words, rowid, name_words, text_words) "
    "VALUES ('delete', old.number, old.name_words, old.text_words); END",
    "CREATE TRIGGER search_texts_updated AFTER UPDATE OF name_words, text_words ON search_texts BEGIN "
    "INSERT INTO search_words (search_words, rowid, name_words, text_words) "
    "VALUES ('delete', old.number, old.name_words, old.text_words); "
    "INSERT INTO search_words (rowid, name_words, text_words) VALUES (new.number, new.name_words, new.text_words); END",
)
POSTGRESQL = (
    "CREATE INDEX search_texts_names ON search_texts USING gin (array_to_tsvector(string_to_array(name_words, ' ')))",
    "CREATE INDEX search_texts_words ON search_texts USING gin "
    "(array_to_tsvector(string_to_array(btrim(name_words || ' ' || text_words), ' ')))",
)


def upgrade() -> None:
    op.create_table(
        "search_texts",
        sa.Column("item", sa.String(22), sa.ForeignKey("items.id", name="fk_search_texts_item"), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("name_words", sa.Text, nullable=False),
        sa.Column("text_words", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("indexed_at", sa.BigInteger, nullable=True),
    )
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Collegium migrates forward only; restore a backup to go back.")
