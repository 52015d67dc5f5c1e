"""Cells are run by the server, and what they leave is kept."""

import pytest

from collegium.ground.ids import CellId
from collegium.sessions.model import Asked
from session_world import ADA, NOTEBOOK, FakeDocuments, OpenServer, ended, followed

pytestmark = pytest.mark.anyio


async def test_a_cell_that_is_asked_to_run_leaves_its_output(server: OpenServer, documents: FakeDocuments) -> None:
    documents.cells = {"c1": ("code", "print('hello')\n1 + 1")}
    async with server() as sessions:
        [execution] = await sessions.execute(ADA, NOTEBOOK, [Asked(CellId("c1"))])
        frame = await ended(documents, execution.id)
        done, outputs = await sessions.execution(ADA, NOTEBOOK, execution.id)

    assert frame["state"] == "finished"
    assert done.count == 1
    assert outputs == [
        {"output_type": "stream", "name": "stdout", "text": "hello\n"},
        {"output_type": "execute_result", "execution_count": 1, "data": {"text/plain": "2"}, "metadata": {}},
    ]
    assert followed(documents.told, execution.id) == outputs
