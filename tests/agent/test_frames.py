"""Tables of every library, read a window at a time in a real kernel."""

from collections.abc import AsyncIterator

import pytest

from agent.kernel_with_tables import TableKernel, table_kernel

pytestmark = pytest.mark.anyio

MADE = """
import datetime, numpy as np, pandas as pd, polars as pl, pyarrow as pa, duckdb
columns = {
    "number": [3, 1, 2, 1], "float": [0.5, None, float("inf"), -1.0], "text": ["b", "A", None, "ab"],
    "yes": [True, False, True, None], "when": [datetime.datetime(2024, 1, day) for day in (1, 2, 3, 4)],
}
pandas_ = pd.DataFrame(columns)
polars_ = pl.DataFrame(columns)
arrow_ = pa.table(columns)
duck_ = duckdb.sql("select * from arrow_")
list_ = [dict(zip(columns, row)) for row in zip(*columns.values())]
array_ = np.array([[3, 30], [1, 10], [2, 20]])
series_ = pd.Series([5, 4], name="five", index=["x", "y"])
"""
LIBRARIES = ["pandas_", "polars_", "arrow_", "duck_", "list_"]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def kernel() -> AsyncIterator[TableKernel]:
    async with table_kernel() as kernel:
        await kernel.run(MADE)
        yield kernel


@pytest.mark.parametrize("name", LIBRARIES)
async def test_a_table_of_any_library_is_described_and_read(kernel: TableKernel, name: str) -> None:
    table = await kernel.opened(name)
    rows = await kernel.rows(table["ref"], [0, 2, 4])

    assert table["rows"] == 4
    assert [one["name"] for one in table["columns"]] == ["number", "float", "text", "yes", "when"]
    assert [one["kind"] for one in table["columns"]][:3] == ["number", "number", "text"]
    assert table["variable"] == name
    assert rows["cells"][0] == ["3", "1", "2", "1"]
    assert rows["cells"][1] == ["b", "A", None, "ab"] or rows["cells"][1] == ["b", "A", "nan", "ab"]
    assert rows["cells"][2][0] == "2024-01-01 00:00:00"
    assert rows["total"] == 4


@pytest.mark.parametrize("name", LIBRARIES)
async def test_rows_are_sorted_filtered_and_searched(kernel: TableKernel, name: str) -> None:
    ref = (await kernel.opened(name))["ref"]

    async def numbers(**view: object) -> list[str]:
        found: list[str] = (await kernel.rows(ref, [0], view=view))["cells"][0]
        return found

    def one(column: int, op: str, **more: str) -> dict[str, object]:
        return {"column": column, "op": op, **more}

    assert await numbers(sort=[{"column": 0, "descending": False}]) == ["1", "1", "2", "3"]
    assert await numbers(sort=[{"column": 0, "descending": True}, {"column": 4, "descending": True}]) == list("3211")
    assert await numbers(filters=[one(0, "equals", text="1")]) == ["1", "1"]
    assert await numbers(filters=[one(0, "between", **{"from": "2"})]) == ["3", "2"]
    assert await numbers(filters=[one(2, "contains", text="A")]) == ["1", "1"]
    assert await numbers(filters=[one(2, "equals", text="b")]) == ["3"]
    assert await numbers(filters=[one(2, "null")]) == ["2"]
    assert await numbers(filters=[one(1, "not_null"), one(0, "between", to="1.5")]) == ["1"]
    assert await numbers(search="ab") == ["1"]


@pytest.mark.parametrize("name", LIBRARIES)
async def test_a_column_says_what_it_holds(kernel: TableKernel, name: str) -> None:
    ref = (await kernel.opened(name))["ref"]
    number = await kernel.table("statistics", ref=ref, column=0)
    floats = await kernel.table("statistics", ref=ref, column=1)
    text = await kernel.table("statistics", ref=ref, column=2, view={"filters": [{"column": 2, "op": "not_null"}]})

    assert (number["count"], number["nulls"], number["distinct"]) == (4, 0, 3)
    assert (number["min"], number["max"], number["mean"]) == (1, 3, 1.75)
    assert sum(number["histogram"]) == 4
    assert (floats["nulls"], floats["min"], floats["max"]) == (1, -1.0, 0.5)
    assert sorted(text["top"]) == [["A", 1], ["ab", 1], ["b", 1]]


async def test_dates_are_compared_as_dates(kernel: TableKernel) -> None:
    for name in ("pandas_", "polars_", "arrow_"):
        ref = (await kernel.opened(name))["ref"]
        view = {"filters": [{"column": 4, "op": "between", "from": "2024-01-02", "to": "2024-01-03"}]}
        assert (await kernel.rows(ref, [0], view=view))["cells"] == [["1", "2"]], name
        wrong = {"filters": [{"column": 4, "op": "between", "from": "yesterday"}]}
        assert (await kernel.table("rows", ref=ref, columns=[0], view=wrong))["error"] == "invalid"


async def test_arrays_and_series_are_tables_too(kernel: TableKernel) -> None:
    array, series = await kernel.opened("array_"), await kernel.opened("series_")
    rows = await kernel.rows(array["ref"], [1], view={"sort": [{"column": 0, "descending": False}]})

    assert rows["cells"] == [["10", "20", "30"]]
    assert rows["names"] == [["1"], ["2"], ["0"]]
    assert series["index"] == [""]
    assert (await kernel.rows(series["ref"], [0]))["names"] == [["x"], ["y"]]


async def test_what_is_shown_says_where_its_table_is(kernel: TableKernel) -> None:
    kernel.shown.clear()
    await kernel.run("pandas_")
    await kernel.run("display(pd.DataFrame({'a': [1]}))\npandas_.a = 1\n5")
    await kernel.run("'not a table'")
    marked, passing, *plain = [data.get("application/vnd.collegium.table+json") for data in kernel.shown]

    assert marked["variable"] == "pandas_"
    assert (await kernel.table("open", ref=marked["ref"]))["rows"] == 4
    assert passing["variable"] is None
    assert (await kernel.table("open", ref=passing["ref"]))["error"] == "gone"
    assert plain == [None, None]


async def test_a_change_of_the_table_is_seen_and_its_deletion_too(kernel: TableKernel) -> None:
    await kernel.run("frame = pd.DataFrame({'a': range(1000), 'b': list('ab') * 500, 'c': [object()] * 1000})")
    table = await kernel.opened("frame")
    same = await kernel.table("mark", ref=table["ref"])
    await kernel.run("frame.loc[777, 'a'] = -1")
    written = await kernel.table("mark", ref=table["ref"])
    await kernel.run("frame = frame.copy()")
    other = await kernel.table("mark", ref=table["ref"])
    await kernel.run("del frame\nimport gc; gc.collect()")
    gone = await kernel.table("mark", ref=table["ref"])

    assert same == {"alive": True, "named": True, "present": True, "mark": table["mark"]}
    assert written["present"]
    assert written["mark"] != table["mark"]
    assert not other["present"]
    assert (gone["alive"], gone["named"]) == (False, False)
    assert (await kernel.table("rows", ref=table["ref"], columns=[0]))["error"] == "gone"


async def test_tables_with_odd_names_many_columns_and_several_levels(kernel: TableKernel) -> None:
    await kernel.run(
        "wide = pd.DataFrame(np.zeros((3, 5000)))\n"
        "twice = pd.DataFrame([[1, 2], [3, 4]], columns=['a', 'a'])\n"
        "levels = pd.DataFrame({('x', 'one'): [1, 2], ('x', 'two'): [3, 4]},"
        " index=pd.MultiIndex.from_tuples([('p', 1), ('q', 2)], names=['letter', None]))\n"
        "empty = pd.DataFrame({'nothing': []})\nnone = pd.DataFrame()"
    )
    wide, twice, levels = await kernel.opened("wide"), await kernel.opened("twice"), await kernel.opened("levels")

    assert len(wide["columns"]) == 5000
    assert (await kernel.rows(wide["ref"], [4999]))["cells"] == [["0.0"] * 3]
    assert (await kernel.rows(twice["ref"], [0, 1]))["cells"] == [["1", "3"], ["2", "4"]]
    assert [one["name"] for one in levels["columns"]] == ["x / one", "x / two"]
    assert levels["index"] == ["letter", ""]
    assert (await kernel.rows(levels["ref"], [0]))["names"] == [["p", "1"], ["q", "2"]]
    assert (await kernel.opened("empty"))["rows"] == 0
    assert (await kernel.opened("none"))["columns"] == []


async def test_mixed_values_are_shown_sorted_and_searched_without_calling_them(kernel: TableKernel) -> None:
    await kernel.run(
        "armed = False\n"
        "class Evil:\n"
        "    def __repr__(self, *_):\n        if armed: raise SystemExit\n        raise AttributeError\n"
        "    __str__ = __len__ = __eq__ = __lt__ = __hash__ = __bool__ = __float__ = __getattr__ = __repr__\n"
        "    @property\n    def __class__(self):\n        if armed: raise SystemExit\n        return Evil\n"
        "mixed = pd.DataFrame({'m': np.array([Evil(), 2, 'text', None, 'x' * 100_000, b'\\xff' * 1000,"
        " [1, {'a': None}], 10**5000, float('nan'), 1], dtype=object)})\narmed = True"
    )
    table = await kernel.opened("mixed")
    cells = (await kernel.rows(table["ref"], [0]))["cells"][0]
    view = {"sort": [{"column": 0, "descending": False}]}
    ordered = (await kernel.rows(table["ref"], [0], view=view))["cells"][0]
    found = (await kernel.rows(table["ref"], [0], view={"search": "TEXT"}))["cells"][0]
    said = await kernel.table("statistics", ref=table["ref"], column=0)
    long = await kernel.rows(table["ref"], [0], offset=4, limit=1, long=True)

    assert cells[0] == "<Evil>"
    assert cells[1:4] == ["2", "text", None]
    assert cells[4] == ["x" * 200, 100_000]
    assert cells[5][0].startswith("b'\\xff")
    assert cells[6] == '[1, {"a": null}]'
    assert cells[7] == "<int of 16,610 bits>"
    assert ordered[:3] == ["1", "2", "<Evil>"]
    assert found == ["text"]
    assert said["count"] == 10
    assert len(long["cells"][0][0][0]) == 20_000


async def test_a_relation_is_not_read_while_a_cell_runs_but_frames_are(kernel: TableKernel) -> None:
    execution = await kernel.start("import os, time\nwhile not os.path.exists('enough'): time.sleep(0.01)")
    while True:
        refused = await kernel.table("open", variable="duck_")
        if "error" in refused:
            break
    read = await kernel.opened("pandas_")
    (kernel.agent.content / "enough").touch()
    await kernel.finish(execution)

    assert refused["error"] == "invalid"
    assert "has ended" in refused["detail"]
    assert read["rows"] == 4


@pytest.mark.parametrize("name", [*LIBRARIES, "series_"])
async def test_a_view_is_written_as_csv_and_as_parquet(kernel: TableKernel, name: str) -> None:
    ref = (await kernel.opened(name))["ref"]
    view = {"sort": [{"column": 0, "descending": False}]}
    csv = await kernel.table("export", ref=ref, view=view, format="csv")
    parquet = await kernel.table("export", ref=ref, view=view, format="parquet")
    await kernel.run(
        f"back = pd.read_parquet({parquet['path']!r}).iloc[:, 0].tolist()\n"
        f"head = open({csv['path']!r}).read().split()[0]\n"
        f"os.unlink({csv['path']!r}); os.unlink({parquet['path']!r})"
    )
    said = {one["name"]: one["preview"] for one in await kernel.variables(limit=500)}

    assert said["back"] == ("[4, 5]" if name == "series_" else "[1, 1, 2, 3]")
    assert said["head"] == ("',five'" if name == "series_" else "'number,float,text,yes,when'")


async def test_what_is_no_table_says_so(kernel: TableKernel) -> None:
    await kernel.run("word = 'x'\ncube = np.zeros((2, 2, 2))\nnumbers = [1, 2]")

    for name, code in (("word", "invalid"), ("cube", "invalid"), ("numbers", "invalid"), ("nothing", "gone")):
        assert (await kernel.table("open", variable=name))["error"] == code
    ref = (await kernel.opened("pandas_"))["ref"]
    assert (await kernel.table("rows", ref=ref, columns=[99]))["error"] == "invalid"
    assert (await kernel.table("juggle", ref=ref))["error"] == "invalid"


@pytest.mark.parametrize("name", LIBRARIES)
async def test_rows_at_even_distances_stand_for_a_whole_view(kernel: TableKernel, name: str) -> None:
    ref = (await kernel.opened(name))["ref"]
    view = {"sort": [{"column": 0, "descending": True}]}
    all_of_it = await kernel.rows(ref, [0, 2], spread=True, offset=3)
    half = await kernel.rows(ref, [0, 2], spread=True, limit=2)
    sorted_half = await kernel.rows(ref, [0], spread=True, limit=2, view=view)
    none = await kernel.rows(ref, [0], spread=True, view={"search": "nowhere"})

    assert all_of_it["cells"][0] == ["3", "1", "2", "1"]
    assert half["cells"][0] == ["3", "2"]
    assert (half["total"], sorted_half["cells"]) == (4, [["3", "1"]])
    assert none["cells"] == [[]]


LARGE = """
rows = np.arange(400_000)
large_ = pd.DataFrame({"words": pd.Series([f"word {n * 7919 % 400_000}" for n in rows], dtype=object)})
large_["mixed"] = [n if n % 2 else str(n) for n in rows]
"""


async def test_many_words_are_sorted_by_who_lets_others_in(kernel: TableKernel) -> None:
    await kernel.run(LARGE)
    ref = (await kernel.opened("large_"))["ref"]
    found = await kernel.rows(ref, [0], limit=2, view={"sort": [{"column": 0, "descending": True}]})

    assert found["cells"] == [["word 99999", "word 99998"]]
