"""BokehJS of a runtime version: in the very version that is asked for, and nothing beside it."""

from pathlib import Path

from collegium.runtimes.scripts import bokeh_script


def test_only_scripts_of_that_version_are_found(tmp_path: Path) -> None:
    packages = tmp_path / "lib/python3.11/site-packages"
    (packages / "bokeh-1.2.3.dist-info").mkdir(parents=True)
    (packages / "bokeh/server/static/js").mkdir(parents=True)
    (packages / "bokeh/server/static/js/bokeh-gl.min.js").write_text("gl")
    (packages / "bokeh/server/static/secret.js").write_text("secret")
    (packages / "bokeh/server/static/js/other.js").write_text("other")

    assert bokeh_script(tmp_path, "bokeh/1.2.3/bokeh-gl.min.js") == b"gl"
    for path in (
        "bokeh/1.2.4/bokeh-gl.min.js",
        "bokeh/1.2.3/bokeh.min.js",
        "bokeh/1.2.3/other.js",
        "bokeh/1.2.3/../secret.js",
        "bokeh/../1.2.3/bokeh-gl.min.js",
        "bqplot/index.js",
        "bokeh/1.2.3/bokeh-gl.min.js\n",
    ):
        assert bokeh_script(tmp_path, path) is None
    assert bokeh_script(tmp_path / "nothing", "bokeh/1.2.3/bokeh-gl.min.js") is None
