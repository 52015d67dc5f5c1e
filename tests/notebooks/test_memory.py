"""A document that nobody holds is gone, with all that the CRDT library kept for it."""

import gc
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from collegium.notebooks.document import Document
from collegium.notebooks.model import Cell, Content
from collegium.notebooks.settings import NotebookSettings
from notebooks.library import Library

pytestmark = pytest.mark.anyio

GROWTH_MIB_MAX = 40


def resident_mib() -> float:
    gc.collect()
    return psutil.Process().memory_info().rss / (1 << 20)


def test_documents_that_were_let_go_leave_no_memory_behind() -> None:
    cells = [Cell(f"c{n}", "code", f"V{n:03}1", f"x = {n}\n" * 1_000) for n in range(100)]  # type: ignore[arg-type]
    document = Document.of(Content(tuple(cells)))
    state = document.lacking(None)

    def use() -> None:
        copy = Document.load([state])
        copy.edit(lambda editor: editor.set_source(cells[0].id, "changed"))
        assert copy.digest() != document.digest()

    use()
    before = resident_mib()
    for _ in range(100):
        use()
    with ThreadPoolExecutor(1) as thread:
        for _ in range(100):
            thread.submit(use).result()

    assert len(state) > 700_000
    assert resident_mib() - before < GROWTH_MIB_MAX


async def test_compacting_again_and_again_leaves_no_memory_behind(library: Library) -> None:
    ada = await library.person("Ada")
    notebook = await library.notebook(ada, "x = 1\n" * 150_000)
    typing = await library.typing(notebook)
    await typing.until(typing.type("first;"))
    await library.notebooks.compact(notebook)
    before = resident_mib()
    for n in range(60):
        await typing.until(typing.type(f"{n};"))
        assert await library.notebooks.compact(notebook)

    assert resident_mib() - before < GROWTH_MIB_MAX


def test_a_large_document_is_compacted_the_more_seldom() -> None:
    settings = NotebookSettings()

    assert settings.is_long(10_000, 500, 5_000)
    assert not settings.is_long(8 << 20, 500, 300_000)
    assert settings.is_long(8 << 20, 1 << 16, 300_000)
    assert settings.is_long(8 << 20, 10, 4 << 20)
