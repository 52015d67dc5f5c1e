"""The list of a kernel's variables: complete, quick, and without running a line of what they are made of."""

from collections.abc import AsyncIterator

import anyio
import pytest

from agent.kernel_with_tables import TableKernel, table_kernel

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def kernel() -> AsyncIterator[TableKernel]:
    async with table_kernel() as kernel:
        yield kernel


@pytest.fixture(autouse=True)
async def nothing_left(kernel: TableKernel) -> AsyncIterator[None]:
    yield
    await kernel.run("%reset -f")


async def test_variables_have_a_type_a_shape_a_size_and_a_preview(kernel: TableKernel) -> None:
    await kernel.run(
        "import numpy as np, pandas as pd\narray = np.zeros((1000, 2))\n"
        "frame = pd.DataFrame({'a': [1], 'b': ['x']})\nword = 'two\\nlines'\nthing = {'a': [1, 2.5]}\n"
        "many = list(range(1000))\n_own = 1\ndef work(): ...\nclass Kind: ..."
    )
    found = {one["name"]: one for one in await kernel.variables()}
    every = {one["name"] for one in await kernel.variables(hidden=True, limit=500)}

    assert set(found) == {"array", "frame", "word", "thing", "many"}
    assert {"_own", "work", "Kind", "np"} <= every
    assert found["array"] == {
        "name": "array", "type": "numpy.ndarray", "shape": "1,000 × 2", "bytes": 16000, "table": True,
        "preview": "float64: [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, …]",
    }  # fmt: skip
    assert found["frame"]["preview"] == "a: int64, b: str"
    assert found["word"]["preview"] == r"'two\nlines'"
    assert found["thing"]["preview"] == '{"a": [1, 2.5]}'
    assert found["many"]["preview"].endswith('"… 1,000 in all"]')
    assert found["many"]["bytes"] > 30_000


async def test_they_are_filtered_sorted_and_paged(kernel: TableKernel) -> None:
    await kernel.run("globals().update({f'x{at:05}': 'y' * at for at in range(10_000)})\nother = 1.5")
    first = await kernel.question("namespace", {"limit": 100})
    last = await kernel.variables(offset=10_000, limit=500)
    largest = await kernel.variables(sort="bytes", descending=True, limit=2)
    named = await kernel.question("namespace", {"filter": "X0001"})
    of_type = await kernel.variables(filter="float")

    assert first["total"] == 10_001
    assert [one["name"] for one in first["variables"][:2]] == ["other", "x00000"]
    assert [one["name"] for one in last] == ["x09999"]
    assert [one["name"] for one in largest] == ["x09999", "x09998"]
    assert named["total"] == 10
    assert [one["name"] for one in of_type] == ["other"]


async def test_nothing_of_a_class_is_run(kernel: TableKernel) -> None:
    await kernel.run(
        "calls = []\nclass Meta(type):\n"
        "    def __getattribute__(cls, name):\n        calls.append(name); return type.__getattribute__(cls, name)\n"
        "class Spy(metaclass=Meta):\n"
        "    def __getattribute__(self, name):\n        calls.append(name); raise SystemExit\n"
        "    def __repr__(self): calls.append('repr'); raise SystemExit\n"
        "    __str__ = __len__ = __sizeof__ = __iter__ = __bool__ = __hash__ = __repr__\n"
        "    @property\n    def __class__(self): calls.append('class'); raise SystemExit\n"
        "class Liar(list, metaclass=Meta):\n"
        "    def __len__(self): calls.append('len'); return 10**9\n"
        "    def __iter__(self): calls.append('iter')\n        \n"
        "    __repr__ = __getitem__ = __sizeof__ = __len__\n"
        "class Number(int):\n    __repr__ = __str__ = __format__ = lambda self, *_: calls.append('number')\n"
        "import pandas as pd\nclass Frame(pd.DataFrame):\n"
        "    @property\n    def index(self): calls.append('index'); raise SystemExit\n"
        "    columns = dtypes = shape = memory_usage = index\n"
        "frame = Frame.__new__(Frame)\n"
        "spy = Spy(); liar = Liar([1, 2]); number = Number(7); deep = [[[[[[spy]]]]]]\n"
        "loop = []; loop.append(loop)\ncalls.clear()"
    )
    found = {one["name"]: one for one in await kernel.variables()}
    await kernel.run("said = ', '.join(map(str, calls)) or 'silent'")
    said = {one["name"]: one["preview"] for one in await kernel.variables()}["said"]

    assert found["spy"]["preview"] == "<Spy>"
    assert (found["frame"]["shape"], found["frame"]["preview"]) == (None, "<Frame>")
    assert (found["liar"]["shape"], found["liar"]["preview"]) == ("2", "[1, 2]")
    assert found["number"]["preview"] == "7"
    assert found["loop"]["shape"] == "1"
    assert said == "'silent'"


async def test_they_are_listed_while_a_cell_runs(kernel: TableKernel) -> None:
    execution = await kernel.start("import os, time\nstep = 1\nwhile not os.path.exists('done'): time.sleep(0.01)")
    with anyio.fail_after(30):
        while "step" not in {one["name"] for one in await kernel.variables()}:
            pass
    (kernel.agent.content / "done").touch()
    await kernel.finish(execution)

    assert {one["name"] for one in await kernel.variables()} == {"step"}


async def test_a_variable_can_be_deleted(kernel: TableKernel) -> None:
    await kernel.run("kept = 1\nlost = 2")
    done = await kernel.question("namespace", {"remove": "lost"})
    again = await kernel.question("namespace", {"remove": "lost"})
    hidden = await kernel.question("namespace", {"remove": "get_ipython"})

    assert done == {"removed": "lost"}
    assert again["error"] == hidden["error"] == "not_found"
    assert [one["name"] for one in await kernel.variables()] == ["kept"]
