"""Packages installed inside a runtime work at once, harm nobody, and vanish with it; or are sealed into a layer."""

import base64
import hashlib
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from runtime_world import EngineProcess, Notebook, engine_process
from runtimes.conftest import uid_of
from support.environment import MINIMAL, environment_of

pytestmark = pytest.mark.sandbox
SHOW = "import importlib.metadata as m; print(m.version('hammer'), m.version('wheelwright'))"


def package(name: str, version: str) -> dict[str, str]:
    """The files of a package whose one module says its version."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text.encode())}\n"
    return files | {f"{info}/RECORD": record + f"{info}/RECORD,,\n"}


def wheel(name: str, version: str) -> str:
    """Python that writes the wheel of a package into /content."""
    return (
        f"import zipfile\nwith zipfile.ZipFile({installed(name, version)!r}, 'w') as archive:\n"
        f"    for path, text in {package(name, version)!r}.items(): archive.writestr(path, text)"
    )


def installed(name: str, version: str) -> str:
    """Where the wheel of a package lies."""
    return f"/content/{name}-{version}-py3-none-any.whl"


def fingerprint(environment: Path) -> list[tuple[str, int, int]]:
    """What a change of an environment would change."""
    folder = next(environment.glob("lib/python3*/site-packages"))
    return sorted((one.name, one.stat().st_mtime_ns, one.stat().st_uid) for one in folder.iterdir())


@pytest.fixture(params=["root", "ordinary"], scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[EngineProcess]:
    """An engine whose user owns the environment, in which two small packages are installed."""
    uid, folder = uid_of(request.param), Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    path = folder / "small"
    subprocess.run(["cp", "-a", environment_of(MINIMAL), path], check=True)
    for name in ("hammer", "anvil"):
        for file, text in package(name, "1.0").items():
            target = next(path.glob("lib/python3*/site-packages")) / file
            target.parent.mkdir(exist_ok=True)
            target.write_text(text)
    subprocess.run(["chown", "-R", f"{uid}:{uid}", folder], check=True)
    with engine_process(uid, at=path) as engine:
        yield engine
    shutil.rmtree(folder)


@pytest.fixture
def notebook(engine: EngineProcess) -> Iterator[Notebook]:
    engine.create("one")
    with closing(Notebook(engine.agent_socket("one"))) as notebook:
        assert notebook.run(wheel("wheelwright", "1.0")).error == ""
        assert notebook.run(wheel("hammer", "99.0")).error == ""
        yield notebook
    if engine.ask("list")["runtimes"]:
        engine.ask("delete", runtime="one")
    assert engine.traces() == []


@pytest.mark.parametrize("command", ["%pip", "!pip", "!uv pip"])
def test_installing_adds_and_replaces_packages_at_once(engine: EngineProcess, notebook: Notebook, command: str) -> None:
    before = fingerprint(engine.environment)
    wheels = f"{installed('wheelwright', '1.0')} {installed('hammer', '99.0')}"

    done = notebook.run(f"{command} install --no-deps {wheels}")

    assert done.error == "", done.text
    assert notebook.run(SHOW).text == "99.0 1.0\n", done.text
    assert notebook.run("import hammer, wheelwright; print(hammer.VERSION, wheelwright.VERSION)").text == "99.0 1.0\n"
    assert fingerprint(engine.environment) == before


def test_a_package_of_the_runtime_version_can_be_removed(engine: EngineProcess, notebook: Notebook) -> None:
    before = fingerprint(engine.environment)

    done = notebook.run("!pip uninstall -y hammer && uv pip uninstall anvil && python -c 'import hammer'")

    assert "No module named 'hammer'" in done.text
    assert "anvil" in done.text
    assert fingerprint(engine.environment) == before


def test_a_neighbour_and_the_next_runtime_see_nothing_of_it(engine: EngineProcess, notebook: Notebook) -> None:
    notebook.run(f"!pip install --no-deps {installed('wheelwright', '1.0')}")
    notebook.run("import sys; open(sys.prefix + '/pyvenv.cfg', 'a').write('# mine'); open(sys.prefix + '/new', 'w')")
    engine.create("two")

    with closing(Notebook(engine.agent_socket("two"))) as neighbour:
        seen = neighbour.run("import sys, os; print('mine' in open(sys.prefix + '/pyvenv.cfg').read(), "
                             "os.path.exists(sys.prefix + '/new'))\nimport wheelwright")  # fmt: skip

    engine.ask("delete", runtime="two")
    assert seen.text == "False False\n"
    assert "ModuleNotFoundError" in seen.error
    assert "mine" not in (engine.environment / "pyvenv.cfg").read_text()
    assert not (engine.environment / "new").exists()


@pytest.mark.parametrize("command", ["apt-get install -y cowsay", "sudo apt install cowsay", "apt update"])
def test_debian_packages_are_refused_and_the_alternative_is_named(
    engine: EngineProcess, notebook: Notebook, command: str
) -> None:
    done = notebook.run(f"!{command}; echo status $?")

    assert "%pip install NAME" in done.text
    assert done.text.split()[-2:] == ["status", "100"]


def test_sealed_it_is_what_the_next_runtime_starts_with(engine: EngineProcess, notebook: Notebook) -> None:
    notebook.run(f"!pip install --no-deps {installed('wheelwright', '1.0')} && pip uninstall -y hammer")
    odd = "import os, sys; os.mkfifo(sys.prefix + '/pipe'); os.symlink('/etc/shadow', sys.prefix + '/link')"
    assert notebook.run(odd).error == ""
    assert notebook.run("open(sys.prefix + '/odd', 'w'); os.chmod(sys.prefix + '/odd', 0o6777)").error == ""

    path = Path(engine.ask("seal", runtime="one", layer="pinned-1")["path"])

    assert path == engine.data / "environments/layers/pinned-1"
    assert engine.ask("list")["runtimes"] == []
    assert not (path / "pipe").exists()
    assert stat.S_IMODE((path / "odd").stat().st_mode) == 0o755
    assert {one.lstat().st_uid for one in path.rglob("*")} == {engine.uid}
    engine.ask("create", runtime="one", **engine.wanted() | {"layers": [str(path)]})
    with closing(Notebook(engine.agent_socket("one"))) as again:
        assert again.run("import wheelwright; print(wheelwright.VERSION)").text == "1.0\n"
        assert "No module named 'hammer'" in again.run("import hammer").error
        assert "is already" in again.run("!pip install --no-deps wheelwright").text.replace(
            "already satisfied", "is already"
        )
        assert again.run("!pip uninstall -y wheelwright").error == ""
    assert (path / "lib").is_dir()
    assert engine.ask("seal", runtime="one", layer="pinned-1") == {"path": str(path)}


@pytest.mark.parametrize("layer", ["/etc", "{data}/environments/layers", "{data}/environments/layers/../layers/x"])
def test_only_sealed_layers_are_laid_over_an_environment(engine: EngineProcess, layer: str) -> None:
    wanted = engine.wanted() | {"layers": [layer.format(data=engine.data)]}

    with pytest.raises(AssertionError, match="is no layer"):
        engine.ask("create", runtime="bad", **wanted)


def test_what_a_runtime_leaves_in_its_folders_is_removed_however_deep_and_closed(engine: EngineProcess) -> None:
    engine.create("one")
    with closing(Notebook(engine.agent_socket("one"))) as notebook:
        done = notebook.run(
            "import os\nos.chdir('/content')\n"
            "for _ in range(3000):\n    os.mkdir('d' * 100); os.chdir('d' * 100)\n"
            "os.mkdir('/content/closed'); os.mkdir('/content/closed/in'); os.chmod('/content/closed', 0)"
        )
    assert done.error == ""

    engine.ask("delete", runtime="one")

    assert engine.traces() == []


def test_devices_and_folders_are_shown_only_when_the_engine_was_told_so() -> None:
    with engine_process(uid_of("root"), allow=["/dev/net/*", "/dev/fu*", "/var/lib/dp*"]) as engine:
        shown = {"devices": ["/dev/full"], "binds": ["/var/lib/dpkg"], "variables": {"CUDA_VISIBLE_DEVICES": "0"}}
        engine.ask("create", runtime="one", **engine.wanted() | shown)
        with closing(Notebook(engine.agent_socket("one"))) as notebook:
            seen = notebook.run(
                "import os; print(os.listdir('/var/lib/dpkg') != [], os.environ['CUDA_VISIBLE_DEVICES'])"
            )
            written = notebook.run("with open('/dev/full', 'w') as full: full.write('x')")

        for refused in ({"devices": ["/dev/kmsg"]}, {"binds": ["/root"]}, {"devices": ["/dev/fu/../kmsg"]}):
            with pytest.raises(AssertionError, match="was not told"):
                engine.ask("create", runtime="two", **engine.wanted() | refused)

    assert seen.text == "True 0\n"
    assert "No space left" in written.error


def test_a_layer_goes_once_no_runtime_was_made_with_it(engine: EngineProcess, notebook: Notebook) -> None:
    notebook.run("open(sys.prefix + '/mine', 'w')")
    path = Path(engine.ask("seal", runtime="one", layer="pinned-2")["path"])
    engine.ask("create", runtime="two", **engine.wanted() | {"layers": [str(path)]})

    with pytest.raises(AssertionError, match="conflict"):
        engine.ask("drop_layer", layer="pinned-2")
    assert path.is_dir()
    engine.ask("delete", runtime="two")
    assert [engine.ask("drop_layer", layer="pinned-2") for _ in range(2)] == [{}, {}]
    assert [one for one in path.parent.iterdir() if "pinned-2" in one.name] == []
    with pytest.raises(AssertionError, match="invalid"):
        engine.ask("drop_layer", layer="../../run")
