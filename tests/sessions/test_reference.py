"""Outputs are those that nbclient gives for the same cells, folded as a terminal would show them."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from collegium.ground.ids import CellId
from collegium.sessions.model import Asked
from collegium.sessions.text import StreamText
from session_world import ADA, NOTEBOOK, FakeDocuments, OpenServer, ended
from support.environment import runtime_python

pytestmark = pytest.mark.anyio

CORPUS = [
    "print('a'); print('b', end='')",
    "import sys\nprint('o', flush=True)\nprint('e', file=sys.stderr, flush=True)\nprint('again')",
    "for i in range(50): print(f'\\r{i:3d}%', end='')\nprint()",
    "print('abc\\b\\bX\\x1b[31mred\\x1b[0m')",
    "from tqdm import tqdm\nfor _ in tqdm(range(20), file=sys.stdout, bar_format='{l_bar}{bar:10}| {n_fmt}'): pass",
    "from IPython.display import clear_output\nfor i in range(5):\n    clear_output(wait=True)\n    print('frame', i)",
    "print('gone')\nclear_output()\nprint('stays')",
    "h = display('first', display_id='here')\ndisplay('other')",
    "h.update('second')",
    "import pandas as pd\npd.DataFrame({'a': [1, 2], 'b': ['x', 'é😀']})",
    "from IPython.display import HTML, Markdown, Latex, JSON",
    "display(HTML('<b>x</b>'), Markdown('*y*'), JSON({'a': 1}))\nLatex('$x^2$')",
    "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2, 3])\nplt.title('t');",
    "plt.bar([1, 2], [3, 4])",
    "!echo from a shell",
    "x = 5\nx",
    "def f():\n    raise ValueError('no')\nf()",
]


TABLE = "application/vnd.collegium.table+json"


def folded(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Streams merged and shown as a terminal shows them; what differs from process to process left out."""
    merged: list[dict[str, Any]] = []
    for output in outputs:
        last = merged[-1] if merged else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            last["text"] += output["text"]
        else:
            merged.append(dict(output))
    for output in merged:
        # Where the page finds the table itself: ours alone.
        output.get("data", {}).pop(TABLE, None)
        if output["output_type"] == "stream":
            stream = StreamText()
            stream.add(output["text"])
            output["text"] = stream.text()
    text = re.sub(r"ipykernel_\d+", "ipykernel_N", json.dumps(merged, sort_keys=True))
    return json.loads(re.sub(r"0x[0-9a-f]{8,}", "0xN", text))  # type: ignore[no-any-return]


REFERENCE = """
import json, sys, nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
folder, corpus = sys.argv[1], json.loads(sys.argv[2])
cells = [nbformat.v4.new_code_cell(source) for source in corpus]
notebook = nbformat.v4.new_notebook(cells=cells)
specs = KernelSpecManager(kernel_dirs=[folder], ensure_native_kernel=False)
kernel = AsyncKernelManager(kernel_name="test", kernel_spec_manager=specs)
NotebookClient(notebook, km=kernel, allow_errors=True, timeout=120).execute()
print(json.dumps([[dict(output) for output in cell.outputs] for cell in notebook.cells]))
"""


async def reference(folder: Path) -> list[list[dict[str, Any]]]:
    """What nbclient gives, in a process of its own."""
    (folder / "test").mkdir(parents=True)
    argv = [str(runtime_python()), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "test", "language": "python"}
    (folder / "test" / "kernel.json").write_text(json.dumps(spec))
    command = [sys.executable, "-W", "ignore", "-c", REFERENCE, str(folder), json.dumps(CORPUS)]
    done = await anyio.run_process(command)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


async def test_outputs_equal_those_of_nbclient(server: OpenServer, documents: FakeDocuments, tmp_path: Path) -> None:
    expected = await reference(tmp_path / "kernels")
    documents.cells = {f"c{n}": ("code", source) for n, source in enumerate(CORPUS)}
    async with server() as sessions:
        asked = await sessions.execute(ADA, NOTEBOOK, [Asked(CellId(cell)) for cell in documents.cells])
        await ended(documents, asked[-1].id)
        shown = [(await sessions.execution(ADA, NOTEBOOK, execution.id))[1] for execution in asked]

    for source, ours, theirs in zip(CORPUS, shown, expected, strict=True):
        assert (source, folded(ours)) == (source, folded(theirs))
