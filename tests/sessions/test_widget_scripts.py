"""Scripts that widget packages bring: read from the kernel's environment, and nothing beside them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_process import AgentProcess, agent_process
from collegium.ground.errors import Invalid, NotFound
from collegium.kernels.extensions import read_nbextension

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("package", ["anywidget", "jupyter-matplotlib", "bqplot"])
async def test_a_package_of_the_runtime_version_brings_its_script(package: str) -> None:
    with agent_process(forked=True) as agent:
        script = await read_nbextension(agent.connect, f"{package}/index.js")

    assert b"define(" in script


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A home whose user installed a package for themselves."""
    found = tmp_path / "home/.local/share/jupyter/nbextensions/mine"
    found.mkdir(parents=True)
    (found / "index.js").write_text("define({})")
    (found / "same.js").symlink_to("index.js")
    (tmp_path / "secret.js").write_text("secret")
    (found / "outside.js").symlink_to(tmp_path / "secret.js")
    os.mkfifo(found / "waits.js")
    return tmp_path


@pytest.fixture
def agent(folder: Path) -> Iterator[AgentProcess]:
    with agent_process(env={"HOME": str(folder / "home")}) as agent:
        yield agent


async def test_bokeh_brings_its_scripts_under_its_own_version(tmp_path: Path) -> None:
    user = tmp_path / ".local/lib/python3.11/site-packages"
    (user / "bokeh-1.2.3.dist-info").mkdir(parents=True)
    (user / "bokeh/server/static/js").mkdir(parents=True)
    (user / "bokeh/server/static/js/bokeh-gl.min.js").write_text("gl")
    (user / "bokeh/server/static/secret.js").write_text("secret")
    with agent_process(env={"PYTHONUSERBASE": str(tmp_path / ".local")}) as agent:
        assert await read_nbextension(agent.connect, "bokeh/1.2.3/bokeh-gl.min.js") == b"gl"
        for path in ("bokeh/1.2.4/bokeh-gl.min.js", "bokeh/1.2.3/bokeh.min.js", "bokeh/1.2.3/secret.js"):
            with pytest.raises(NotFound):
                await read_nbextension(agent.connect, path)


async def test_the_user_s_own_packages_count_too(agent: AgentProcess) -> None:
    assert await read_nbextension(agent.connect, "mine/index.js") == b"define({})"
    assert await read_nbextension(agent.connect, "mine/same.js") == b"define({})"


@pytest.mark.parametrize(
    "path",
    ["mine/outside.js", "mine", "mine/waits.js", "mine/none.js", "mine/index.js/x", "../../../../../secret.js",
     "/etc/passwd", "mine/../../../../../../secret.js", "", "."],
)  # fmt: skip
async def test_nothing_beside_them_is_read(agent: AgentProcess, path: str) -> None:
    with pytest.raises((NotFound, Invalid)):
        await read_nbextension(agent.connect, path)
