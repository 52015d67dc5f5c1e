"""How each kind of database is asked for words: SQLite by FTS5, PostgreSQL by text search vectors.

Both indexes belong to `search_texts`, and the database keeps them itself (see migration 0011).
"""

from collections.abc import Sequence

from sqlalchemy import TextClause, text

from collegium.drive.ports import Matcher
from collegium.ground.db import is_sqlite

_FTS5 = "search_texts.number IN (SELECT rowid FROM search_words WHERE search_words MATCH :words)"
_NAMES = "array_to_tsvector(string_to_array(search_texts.name_words, ' '))"
_ALL = "array_to_tsvector(string_to_array(btrim(search_texts.name_words || ' ' || search_texts.text_words), ' '))"
_GIN = "{words} @@ CAST(CAST(:words AS text) AS tsquery)"


class SqliteMatcher:
    """The port `Matcher` by FTS5."""

    def matching(self, words: Sequence[str], *, in_names: bool) -> TextClause:
        """See the port."""
        query = " AND ".join(f'"{word}"*' for word in words)
        return text(_FTS5).bindparams(words=f"{{name_words}} : ({query})" if in_names else query)


class PostgresMatcher:
    """The port `Matcher` by GIN."""

    def matching(self, words: Sequence[str], *, in_names: bool) -> TextClause:
        """See the port."""
        query = " & ".join(f"'{word}':*" for word in words)
        return text(_GIN.format(words=_NAMES if in_names else _ALL)).bindparams(words=query)


def matcher_of(url: str) -> Matcher:
    """The one for this database."""
    return SqliteMatcher() if is_sqlite(url) else PostgresMatcher()
