"""Any notebook file in, a valid one out, and what nobody changed is the same."""

import json
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collegium.ground.errors import Invalid, TooLarge
from collegium.notebooks import ipynb
from collegium.notebooks.document import Document

LIMIT = 100_000_000


def notebook(*cells: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)}


def code(source: Any = "x = 1\n", id: str = "a", **more: Any) -> dict[str, Any]:
    cell = {"cell_type": "code", "id": id, "metadata": {}, "source": source, "outputs": [], "execution_count": None}
    return cell | more


def through(document: Any) -> dict[str, Any]:
    """In, through the live document, and out again."""
    imported = ipynb.parse(json.dumps(document).encode(), bytes_max=LIMIT)
    content = Document.load([Document.of(imported.content).lacking(None)]).content()
    written: dict[str, Any] = json.loads(ipynb.dump(ipynb.write(content, imported.outputs)))
    nbformat.validate(nbformat.from_dict(written))
    return written


def test_a_notebook_as_jupyter_writes_it_comes_out_as_it_went_in() -> None:
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": ["a\n", "b"]},
        {
            "output_type": "display_data",
            "data": {"image/png": "iVBORw0KGgo=\n", "text/plain": ["<Figure>"], "application/json": {"a": [1, 2.5]}},
            "metadata": {"image/png": {"width": 10}},
        },
        {
            "output_type": "execute_result",
            "data": {"text/html": ["<b>\n", "</b>"]},
            "metadata": {},
            "execution_count": 3,
        },
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\u001b[31mline"]},
    ]
    document = notebook(
        code(["import os\n", "print('📊')"], "first", outputs=outputs, execution_count=3),
        {
            "cell_type": "markdown",
            "id": "second",
            "metadata": {"id": "x", "deep": {"a": [1, None, True, {"b": 1.25}]}, "tags": ["t"]},
            "source": ["![](attachment:i.png)\r\n", "\u2028odd"],
            "attachments": {"i.png": {"image/png": "AAAA"}},
        },
        {"cell_type": "raw", "id": "third", "metadata": {"format": "text/x"}, "source": []},
        kernelspec={"name": "python3", "display_name": "Python 3"},
        colab={"provenance": [], "gpuType": "T4"},
        unknown={"count": 7, "big": 1700000000000},
    )
    # nbformat splits lines as Python does.
    document["cells"][1]["source"] = "".join(document["cells"][1]["source"]).splitlines(keepends=True)

    assert through(document) == document


def test_a_notebook_that_omits_its_outputs_has_none_in_its_file() -> None:
    shown = {"output_type": "stream", "name": "stdout", "text": ["secret\n"]}
    widgets = {ipynb.WIDGET_STATE: {"version_major": 2, "version_minor": 0, "state": {}}}
    document = notebook(
        code(outputs=[shown], execution_count=3), colab={"private_outputs": True, "provenance": []}, widgets=widgets
    )

    written = through(document)
    assert written["cells"][0] | {"source": ""} == code(source="")
    assert written["metadata"] == {"colab": {"private_outputs": True, "provenance": []}}


@pytest.mark.parametrize("colab", [{"private_outputs": False}, {"private_outputs": "yes"}, ["private_outputs"], None])
def test_outputs_are_in_the_file_unless_it_is_plainly_said(colab: Any) -> None:
    shown = {"output_type": "stream", "name": "stdout", "text": ["a\n"]}

    assert through(notebook(code(outputs=[shown]), colab=colab))["cells"][0]["outputs"] == [shown]


@pytest.mark.parametrize("source", ["a\nb", ["a\n", "b"], ["a", "\nb"]])
def test_a_source_may_be_a_string_or_lines(source: Any) -> None:
    assert through(notebook(code(source)))["cells"][0]["source"] == ["a\n", "b"]


def test_missing_doubled_and_malformed_ids_are_mended() -> None:
    cells = [code(id="a"), code(id="a"), code(id="bad id"), code(id="x" * 65), code(), code()]
    cells[4].pop("id")
    cells[5].pop("id")
    cells[5]["metadata"] = {"id": "ColabId_1"}

    ids = [cell["id"] for cell in through(notebook(*cells))["cells"]]
    assert ids[0] == "a"
    assert ids[5] == "ColabId_1"
    assert len(set(ids)) == 6


def test_the_order_of_many_cells_is_kept() -> None:
    cells = [code(f"{n}", f"c{n}") for n in range(2_000)]

    assert [cell["id"] for cell in through(notebook(*cells))["cells"]] == [f"c{n}" for n in range(2_000)]


def test_an_older_minor_version_becomes_the_one_with_ids() -> None:
    document = notebook(code()) | {"nbformat_minor": 0}
    document["cells"][0].pop("id")

    assert through(document)["nbformat_minor"] == 5


def test_colabs_widget_state_gets_its_frame() -> None:
    models = {"m1": {"model_name": "IntSliderModel", "model_module": "x", "state": {"value": 3}}}

    written = through(notebook(code(), widgets={ipynb.WIDGET_STATE: models}))

    state = written["metadata"]["widgets"][ipynb.WIDGET_STATE]
    assert state == {"version_major": 2, "version_minor": 0, "state": models}
    assert through(written)["metadata"] == written["metadata"]


def test_an_nbformat_3_notebook_is_upgraded() -> None:
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": "old"},
        "worksheets": [
            {
                "cells": [
                    {"cell_type": "heading", "level": 2, "source": "Title", "metadata": {}},
                    {
                        "cell_type": "code",
                        "input": "print 1",
                        "language": "python",
                        "metadata": {},
                        "collapsed": False,
                        "prompt_number": 4,
                        "outputs": [{"output_type": "pyout", "prompt_number": 4, "text": "1", "metadata": {}}],
                    },
                ],
                "metadata": {},
            }
        ],
    }

    cells = through(old)["cells"]
    assert "".join(cells[0]["source"]) == "## Title"
    assert cells[1]["outputs"][0]["output_type"] == "execute_result"


def test_halves_of_surrogate_pairs_are_replaced() -> None:
    written = through(notebook(code("a\ud83d b", metadata={"\udc00k": ["\ud800"]})))

    assert written["cells"][0]["source"] == ["a\ufffd b"]


def test_not_a_number_becomes_null() -> None:
    data = json.dumps(notebook(code(metadata={"x": float("nan")})))
    assert "NaN" in data

    imported = ipynb.parse(data.encode(), bytes_max=LIMIT)
    assert imported.content.cells[0].metadata == {"x": None}


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert ipynb.parse(b"\xef\xbb\xbf" + json.dumps(notebook()).encode(), bytes_max=LIMIT).content.cells == ()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"{", "not JSON"),
        (b"[]", "no JSON object"),
        (b"1", "no JSON object"),
        (b"[" * 100_000, "nested too deeply"),
        (b"{}", "nbformat"),
        (b'{"nbformat": true}', "nbformat"),
        (b'{"nbformat": 5}', "newer"),
        (b'{"nbformat": 4}', "cells"),
        (b'{"nbformat": 4, "cells": {}}', "cells"),
        (b'{"nbformat": 4, "cells": [1]}', "cell 1"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "evil"}]}', "cell 1"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": 5}]}', "source of cell 1"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "metadata": []}]}', "metadata of cell 1"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "outputs": {"a": 1}}]}', "outputs of cell 1"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "outputs": [{"output_type": "x"}]}]}', "unknown type"),
        (b'{"nbformat": 3, "worksheets": 7}', "old format"),
        (b'{"nbformat": 4, "cells": [], "metadata": {"a": ' + b"[" * 60 + b"]" * 60 + b"}}", "nested too deeply"),
    ],
)
def test_what_is_no_notebook_is_refused_and_named(data: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        ipynb.parse(data, bytes_max=LIMIT)


def test_a_file_over_the_limit_is_refused() -> None:
    with pytest.raises(TooLarge):
        ipynb.parse(b" " * 101, bytes_max=100)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "cell_type": st.sampled_from(["code", "markdown", "raw"]),
                "source": st.text(max_size=60),
                "metadata": st.dictionaries(st.text(max_size=8), json_values, max_size=3),
            }
        ),
        max_size=6,
    ),
    st.dictionaries(st.text(max_size=8), json_values, max_size=3),
)
def test_what_people_can_write_comes_out_as_it_went_in(cells: list[dict[str, Any]], metadata: dict[str, Any]) -> None:
    for key in ("language_info", "kernelspec", "orig_nbformat", "title", "authors"):
        metadata.pop(key, None)
    for cell in cells:
        for key in ("collapsed", "scrolled", "deletable", "editable", "format", "name", "tags", "jupyter", "execution"):
            cell["metadata"].pop(key, None)
    document = {"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": cells}

    written = through(document)

    assert written["metadata"] == metadata
    assert [("".join(c["source"]), c["metadata"], c["cell_type"]) for c in written["cells"]] == [
        (c["source"], c["metadata"], c["cell_type"]) for c in cells
    ]


def test_a_script_has_every_cell_and_comments_what_is_not_python() -> None:
    text = {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "# T\n\nx"}
    content = ipynb.read(notebook(code("!ls\nx = 1"), text, code("%%bash\nrm x", "b"))).content

    assert ipynb.percent_script(content) == (
        "# %%\n# !ls\nx = 1\n\n# %% [markdown]\n# # T\n#\n# x\n\n# %%\n# %%bash\n# rm x\n"
    )
