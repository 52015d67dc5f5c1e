"""Which cells a request means, and whether it still may mean them."""

from collections.abc import Sequence

from collegium.ground.errors import Conflict, Invalid, NotFound
from collegium.notebooks.model import source_hash
from collegium.sessions.model import Asked, Source


def is_everything(sources: Sequence[Source], meant: Sequence[Source]) -> bool:
    """Whether all code of the notebook is meant, and that is more than a single cell."""
    named = {source.cell for source in meant}
    code = [source for source in sources if source.type == "code" and source.source.strip()]
    return len(code) > 1 and all(source.cell in named for source in code)


def chosen(sources: Sequence[Source], asked: Sequence[Asked] | None) -> list[Source]:
    """The cells meant (None: every code cell that is not empty), each once, with the text that was meant.

    Raises NotFound, Invalid, or Conflict with the code `stale_source`.
    """
    if asked is None:
        return [source for source in sources if source.type == "code" and source.source.strip()]
    known = {source.cell: source for source in sources}
    missing = [wanted.cell for wanted in asked if wanted.cell not in known]
    if missing:
        raise NotFound("There is no such cell.", cells=missing)
    meant = {wanted.cell: known[wanted.cell] for wanted in asked}
    if any(source.type != "code" for source in meant.values()):
        raise Invalid("Only code cells run.")
    stale = [wanted.cell for wanted in asked if wanted.hash not in (None, source_hash(known[wanted.cell].source))]
    if stale:
        raise Conflict("The cell changed since you asked to run it.", code="stale_source", cells=stale)
    return list(meant.values())
