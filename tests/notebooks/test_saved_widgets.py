"""The states of widgets in a notebook's file."""

from typing import Any

import nbformat

from collegium.notebooks import ipynb
from collegium.notebooks.ipynb import WIDGET_STATE, WIDGET_VIEW
from collegium.notebooks.model import CellOutputs


def model(name: str, **state: Any) -> dict[str, Any]:
    """One entry of the state."""
    module = {"model_module": "@jupyter-widgets/controls", "model_module_version": "2.0.0"}
    return {"model_name": name, **module, "state": state}


def document(widgets: Any, *shown: str) -> dict[str, Any]:
    """A notebook whose only cell shows these models."""
    data = [{WIDGET_VIEW: {"version_major": 2, "version_minor": 0, "model_id": id}} for id in shown]
    outputs = [{"output_type": "display_data", "data": one, "metadata": {}} for one in data]
    cell = {"id": "c", "cell_type": "code", "metadata": {}, "source": "", "outputs": outputs, "execution_count": 1}
    metadata = {"widgets": {WIDGET_STATE: widgets}} if widgets is not None else {}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": [cell]}


def written(widgets: Any, made: dict[str, Any], *shown: str) -> dict[str, Any]:
    """The file of a notebook that came with `widgets` and whose kernel made others."""
    read = ipynb.read(document(widgets, *shown))
    [(cell, left)] = read.outputs.items()
    file = ipynb.write(read.content, {cell: CellOutputs(left.outputs, left.execution_count, made)})
    nbformat.validate(nbformat.from_dict(file))
    return file["metadata"].get("widgets", {}).get(WIDGET_STATE, {})  # type: ignore[no-any-return, union-attr]


def test_what_the_kernel_made_is_written_as_jupyter_reads_it() -> None:
    made = {"a": model("IntSliderModel", value=7)}

    assert written(None, made, "a") == {"version_major": 2, "version_minor": 0, "state": made}


def test_what_came_with_the_file_stays_while_a_cell_shows_it() -> None:
    came = {"old": model("HBoxModel", children=["IPY_MODEL_child"]), "child": model("LabelModel"), "x": model("X")}
    framed = {"version_major": 2, "version_minor": 0, "state": came}

    assert set(written(framed, {"a": model("LabelModel")}, "a", "old")["state"]) == {"a", "old", "child"}
    assert written(framed, {}, "old") == framed


def test_the_form_that_colab_writes_is_read_and_made_valid() -> None:
    came = {"old": model("LabelModel")}

    assert written(came, {}, "old") == {"version_major": 2, "version_minor": 0, "state": came}
