"""Runtimes forked from a template are as correct as executed ones, and the template owns nothing worth having."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from runtime_world import EngineProcess, Notebook, engine_process
from runtimes.conftest import uid_of

pytestmark = pytest.mark.sandbox
PRELOAD = ["numpy", "pandas", "matplotlib", "matplotlib.pyplot", "PIL.Image"]


def wanted(engine: EngineProcess, **more: Any) -> dict[str, Any]:
    """The usual kind, with a zygote."""
    return engine.wanted() | {"preload": PRELOAD} | more


def zygotes(engine: EngineProcess) -> list[dict[str, Any]]:
    """What the engine says of them."""
    found: list[dict[str, Any]] = engine.ask("status")["zygotes"]
    return found


def have_zygote(engine: EngineProcess) -> dict[str, Any]:
    """One that is ready."""
    if not zygotes(engine):
        engine.ask("create", runtime="asks-first", **wanted(engine))
        engine.until(lambda: zygotes(engine) != [])
        engine.ask("delete", runtime="asks-first")
    return zygotes(engine)[0]


@pytest.fixture(params=["root", "ordinary"], scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[EngineProcess]:
    with engine_process(uid_of(request.param)) as engine:
        have_zygote(engine)
        yield engine


@contextmanager
def forked(engine: EngineProcess, name: str, **more: Any) -> Iterator[Notebook]:
    """A notebook in a runtime that the zygote forked."""
    before = zygotes(engine)[0]["forks"]
    engine.ask("create", runtime=name, **wanted(engine, **more))
    assert zygotes(engine)[0]["forks"] == before + 1
    try:
        with closing(Notebook(engine.agent_socket(name))) as notebook:
            yield notebook
    finally:
        engine.ask("delete", runtime=name)


@pytest.fixture(scope="module")
def notebook(engine: EngineProcess) -> Iterator[Notebook]:
    with forked(engine, "one") as notebook:
        yield notebook


IS_AS_ELSEWHERE = {
    "matrices, in threads": "import numpy as np, os; a = np.random.rand(400, 400); b = a @ a; print(b.shape)",
    "eigenvalues": "import scipy.linalg as l; print(l.eigh(a + a.T)[0].shape)",
    "clusters by OpenMP": "from sklearn.cluster import KMeans; print(KMeans(4, n_init=2).fit(a[:100]).labels_.shape)",
    "a forest in processes": "from sklearn.ensemble import RandomForestClassifier as F; "
    "print(F(8, n_jobs=2).fit(a[:100], a[:100, 0] > .5).score(a[:100], a[:100, 0] > .5))",
    "parquet by threads": "import pandas as pd; d = pd.DataFrame(a, columns=map(str, range(400))); "
    "d.to_parquet('/tmp/x.pq'); print(pd.read_parquet('/tmp/x.pq').shape)",
    "polars": "import polars as pl; print(pl.DataFrame({'a': range(1000)}).sum().item())",
    "processes by fork": "import multiprocessing as mp; p = mp.get_context('fork').Pool(2); "
    "print(p.map(abs, range(-3, 0))); p.close(); p.join()",
    "processes by spawn": "from concurrent.futures import ProcessPoolExecutor as P; import math; "
    "x = P(2, mp_context=mp.get_context('spawn')); print(list(x.map(math.sqrt, [4, 9]))); x.shutdown()",
    "threads": "from concurrent.futures import ThreadPoolExecutor as T; print(list(T(4).map(abs, [-1, -2])))",
    "await": "import asyncio; await asyncio.sleep(0.01); print('awaited')",
    "a shell": "!echo from the shell",
    "a plot": "import matplotlib, matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show(); "
    "print(matplotlib.get_cachedir())",
    "certificates": "import ssl; print(ssl.create_default_context().verify_mode)",
    "a child of Python": "import subprocess, sys; print(subprocess.check_output([sys.executable, '-c', 'print(2)']))",
    "a magic": "%timeit -n 1 -r 1 1+1",
}


@pytest.mark.parametrize("what", IS_AS_ELSEWHERE)
def test_it_works_after_a_fork(what: str, notebook: Notebook) -> None:
    result = notebook.run(IS_AS_ELSEWHERE[what])

    assert result.error == "", result.text
    assert "Warning" not in result.text


LOOKS = """
import os, sys, signal, json, threading, gc
print(json.dumps({
    'argv': sys.argv[:1], 'path': sys.path, 'cwd': os.getcwd(), 'flags': list(sys.flags), 'main': __name__,
    'variables': sorted((name, value) for name, value in os.environ.items() if not name.startswith('COLLEGIUM')),
    'ours': [name for name in sys.modules if name.startswith(('collegium', '_collegium'))],
    'signals': [str(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
    'finders': [str(finder) for finder in sys.meta_path if 'collegium' in str(finder).lower()],
    'threads': len(threading.enumerate()),
    'session': os.getsid(0) == os.getpid(), 'group': os.getpgid(0) == os.getpid(),
    'dumpable': os.stat('/proc/self/environ').st_uid, 'oom': open('/proc/self/oom_score_adj').read(),
    'descriptors': sorted(set(os.readlink(f'/proc/self/fd/{fd}').split(':')[0].rpartition('/')[2]
                              for fd in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{fd}'))),
}))
"""


def test_a_forked_kernel_looks_like_an_executed_one(engine: EngineProcess, notebook: Notebook) -> None:
    engine.create("executed")
    with closing(Notebook(engine.agent_socket("executed"))) as executed:
        theirs = json.loads(executed.run(LOOKS).text)
    engine.ask("delete", runtime="executed")
    with forked(engine, "looks") as fresh:
        ours = json.loads(fresh.run(LOOKS).text)

    assert ours == theirs


RANDOM = """
import random, uuid, secrets, numpy, tempfile, multiprocessing
print(random.random(), uuid.uuid4(), uuid.uuid1(), secrets.token_hex(8), numpy.random.rand(),
      numpy.random.default_rng().random(), next(tempfile._get_candidate_names()),
      multiprocessing.current_process().authkey.hex(), random.SystemRandom().random())
"""


def test_a_plot_is_shown_without_being_asked_for(engine: EngineProcess) -> None:
    with forked(engine, "plots") as notebook:
        result = notebook.run("import matplotlib.pyplot as plt\nlines = plt.plot([1, 2])")

    assert "image/png" in result.mimes


def test_no_two_forks_share_their_randomness(engine: EngineProcess) -> None:
    said = []
    for name in ("a", "b"):
        with forked(engine, name) as notebook:
            said.append(notebook.run(RANDOM).text.split())
            with closing(Notebook(engine.agent_socket(name), "another")) as another:
                said.append(another.run(RANDOM).text.split())

    for values in zip(*said, strict=True):
        assert len(set(values)) == 4, values


def test_pid_1_and_the_agent_cannot_be_looked_into(notebook: Notebook) -> None:
    looked = notebook.run(
        "import os\nfor pid in (1, 2):\n    for what in ('environ', 'maps', 'mem', 'fd'):\n        try:\n"
        "            os.listdir(f'/proc/{pid}/fd') if what == 'fd' else open(f'/proc/{pid}/{what}', 'rb').read(1)\n"
        "            print('open', pid, what)\n        except OSError: pass"
    )

    assert (looked.text, looked.error) == ("", "")


def test_a_kernel_that_dies_is_forked_again_and_an_interrupt_reaches_it(engine: EngineProcess) -> None:
    with forked(engine, "dies") as notebook:
        assert notebook.run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)").kernel_died
        with closing(Notebook(engine.agent_socket("dies"), "next")) as following:
            assert following.run("import sys; print('pandas' in sys.modules)").text == "True\n"
            interrupted = following.run("import time, os, signal; os.kill(os.getpid(), signal.SIGINT); time.sleep(60)")
        assert interrupted.error == "KeyboardInterrupt: "


def test_a_package_replaced_by_pip_wins_over_the_one_that_was_imported(engine: EngineProcess) -> None:
    with forked(engine, "replaces") as notebook:
        replaced = notebook.run(
            "import tabulate, os, PIL.Image, sys\npath = PIL.Image.__file__\n"
            "text = open(path).read()\nos.unlink(path)\nopen(path, 'w').write(text + '\\nMINE = 1\\n')"
        )
        if "Permission" in replaced.error or "Read-only" in replaced.error:
            pytest.skip("the environment belongs to another user here")
        assert replaced.error == ""
        with closing(Notebook(engine.agent_socket("replaces"), "next")) as following:
            assert following.run("import PIL.Image; print(PIL.Image.MINE)").text == "1\n"


def test_variables_that_shape_imports_are_taken_into_account(engine: EngineProcess) -> None:
    with forked(engine, "variables", variables={"PYTHONHASHSEED": "7", "MINE": "1"}) as notebook:
        seen = notebook.run("import os; print(os.environ['MINE'], os.environ['PYTHONHASHSEED'])")

    assert seen.text == "1 7\n"


def status_of(pid: int) -> dict[str, str]:
    """What Linux says of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_the_template_is_nobody_and_has_nothing(engine: EngineProcess) -> None:
    pid = zygotes(engine)[0]["pid"]
    status = status_of(pid)
    variables = Path(f"/proc/{pid}/environ").read_bytes().decode()

    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
    assert int(status["Uid"].split()[0]) != 0
    assert "HOME" in variables
    assert not any(name in variables for name in ("SSH", "TOKEN", "SECRET", "COLLEGIUM"))
    if engine.uid == 0:
        assert status["CapBnd"] == "0" * 16
        assert status["Groups"].strip() == ""
        for space in ("net", "mnt", "ipc", "uts"):
            assert os.readlink(f"/proc/{pid}/ns/{space}") != os.readlink(f"/proc/self/ns/{space}")
        assert not os.path.exists(f"/proc/{pid}/root{engine.data}")
        assert not os.path.exists(f"/proc/{pid}/root/root/.ssh")


def test_runtimes_outlive_their_template_and_another_is_made() -> None:
    with engine_process(uid_of("root")) as engine:
        first = have_zygote(engine)["pid"]
        with forked(engine, "lives") as notebook:
            assert notebook.run("x = 41").error == ""
            os.kill(first, signal.SIGKILL)
            assert notebook.run("print(x + 1)").text == "42\n"
            engine.ask("create", runtime="by-exec", **wanted(engine))
            engine.until(lambda: zygotes(engine) != [] and zygotes(engine)[0]["pid"] != first)
            with closing(Notebook(engine.agent_socket("lives"), "again")) as following:
                assert following.run("print(6)").text == "6\n"


def test_a_template_that_hangs_is_given_up_and_the_runtime_is_executed() -> None:
    with engine_process(uid_of("root")) as engine:
        pid = have_zygote(engine)["pid"]
        os.kill(pid, signal.SIGSTOP)

        created = engine.ask("create", runtime="one", **wanted(engine))

        assert created["state"] == "ready"
        engine.until(lambda: not Path(f"/proc/{pid}").exists())


def test_the_template_ends_with_its_engine(engine: EngineProcess) -> None:
    pid = have_zygote(engine)["pid"]
    with forked(engine, "stays") as notebook:
        notebook.run("x = 41")
        engine.kill_engine()

        engine.until(lambda: not Path(f"/proc/{pid}").exists())
        assert notebook.run("print(x + 1)").text == "42\n"
        have_zygote(engine)


def test_what_users_installed_is_never_imported_outside_of_a_sandbox(engine: EngineProcess) -> None:
    engine.ask("create", runtime="plain", **engine.wanted())
    before = zygotes(engine)
    layer = engine.data / "environments/layers/mine"
    layer.mkdir()
    os.chown(layer, engine.uid, engine.uid)

    engine.ask("create", runtime="layered", **wanted(engine, layers=[str(layer)]))

    after = zygotes(engine)
    for name in ("plain", "layered"):
        engine.ask("delete", runtime=name)
    assert [(one["pid"], one["forks"]) for one in after] == [(one["pid"], one["forks"]) for one in before]
