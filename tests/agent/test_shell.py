"""What cells say to the system, and what a kernel says about itself while it runs: real kernels, real programs."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from agent_kernel import Kernel, open_kernel
from collegium.kernels.model import KernelChange, Message, Reply
from collegium.kernels.side import ask

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def kernel() -> AsyncIterator[Kernel]:
    async with open_kernel() as opened:
        yield opened


async def test_what_a_command_prints_is_shown_as_it_comes(kernel: Kernel) -> None:
    execution = await kernel.start("!echo one; while [ ! -e go ]; do sleep 0.02; done; echo two")
    text = ""
    with anyio.fail_after(30):
        while "one\n" not in text:
            text += (await kernel.client.until(Message, msg_type="stream")).content["text"]
        assert "two" not in text
        (kernel.agent.content / "go").touch()
        text += (await kernel.finish(execution))[0]

    assert text == "one\ntwo\n"


async def test_a_command_has_a_terminal_and_an_exit_code(kernel: Kernel) -> None:
    code = "!test -t 1 && test -t 0 && stty size && echo $TERM $PAGER; exit 7\nprint(_exit_code)"

    assert (await kernel.run(code))[0] == "24 100\nxterm-color cat\n7\n"


async def test_values_are_put_into_a_command_and_its_lines_can_be_kept(kernel: Kernel) -> None:
    assert await kernel.run("x = 5\ndef f(y):\n    !echo {x} $y\nf('z')\nlines = !echo a; echo b\nprint(lines)") == (
        "5 z\n['a', 'b']\n",
        "",
    )


async def test_a_command_that_asks_is_answered(kernel: Kernel) -> None:
    code = "!read -p 'Proceed (y/N)? ' said; echo got $said"

    assert await kernel.run(code, answers=["yes"]) == ("Proceed (y/N)? yes\ngot yes\n", "")


async def test_a_python_program_that_asks_twice_is_answered(kernel: Kernel) -> None:
    code = """!python3 -c "a = input('first: '); b = input('second: '); print(a + b)" """
    text, error = await kernel.run(code, answers=["1", "2"])

    assert (text.rstrip().splitlines()[-1], error) == ("12", "")


async def test_a_password_is_asked_for_as_one(kernel: Kernel) -> None:
    kernel.extra.clear()
    text, _ = await kernel.run("!read -s -p 'Password: ' said; echo; echo ${#said}", answers=["secret"])
    (asked,) = [one for one in kernel.extra if one.msg_type == "input_request"]

    assert asked.content["password"] is True
    assert text == "Password: \n6\n"


async def test_a_command_without_anybody_to_ask_reads_nothing(kernel: Kernel) -> None:
    assert await kernel.run("!read said; echo got:$said", stdin=False) == ("got:\n", "")


async def test_a_command_that_is_busy_asks_nothing(kernel: Kernel) -> None:
    assert await kernel.run("!printf 'working: '; sleep 1.5; echo done") == ("working: done\n", "")


@pytest.mark.parametrize("stubborn", ["sleep 1000", "trap '' INT; sleep 1000; sleep 1000"])
async def test_an_interrupt_ends_a_command_with_all_that_it_started(kernel: Kernel, stubborn: str) -> None:
    code = f"for i in range(2):\n    !echo pid $$; (sleep 1000)& {stubborn}"
    text, error = await kernel.run(code, interrupt_at="pid")
    (left, _) = await kernel.run("!pgrep -g " + text.split()[1] + " || echo none")

    assert error == "KeyboardInterrupt"
    assert text.count("pid") == 1
    assert left.endswith("none\n")


async def test_what_a_command_leaves_behind_runs_on(kernel: Kernel) -> None:
    text, _ = await kernel.run("!(while [ ! -e end ]; do echo x; sleep 0.05; done; touch ended) &\n!echo next")
    assert text.replace("x\n", "") == "next\n"
    (kernel.agent.content / "end").touch()
    with anyio.fail_after(10):
        while not (kernel.agent.content / "ended").exists():
            await anyio.sleep(0.01)


async def test_a_flood_is_shown_whole(kernel: Kernel) -> None:
    text, _ = await kernel.run("!seq 1 200000")

    assert text.splitlines() == [str(number) for number in range(1, 200_001)]


async def test_letters_are_never_cut_in_two(kernel: Kernel) -> None:
    text, _ = await kernel.run("""!python3 -c "print('ä€😀' * 50000)" """)

    assert text == "ä€😀" * 50_000 + "\n"


async def test_the_magics_of_the_system_work(kernel: Kernel) -> None:
    folder = kernel.agent.content
    await kernel.run("%%writefile note.txt\nline one\nline two")
    bash, _ = await kernel.run("%%bash\nfor i in 1 2; do echo $i; done\nwc -l < note.txt")
    sh, _ = await kernel.run("%%sh\necho from sh")
    cd, _ = await kernel.run("import os\nos.mkdir('sub')\n%cd -q sub\n!pwd\n%cd -q ..")

    assert (folder / "note.txt").read_text() == "line one\nline two\n"
    assert bash == "1\n2\n2\n"
    assert sh == "from sh\n"
    assert cd == f"{folder}/sub\n"


# questions


async def test_the_largest_variables_are_named_while_a_cell_runs(kernel: Kernel) -> None:
    await kernel.run(
        "import numpy as np, pandas as pd\nbig = np.zeros(10_000_000)\nsame = big\n"
        "frame = pd.DataFrame({'a': np.arange(1_000_000)})\n"
        "words = ['x' * 1000 + str(i) for i in range(1000)]\nclass Odd:\n"
        "    @property\n    def nbytes(self): raise SystemExit\nodd = Odd()\n_hidden = np.zeros(10**7)"
    )
    execution = await kernel.start("import time\nwhile not os.path.exists('enough'): time.sleep(0.01)")
    with anyio.fail_after(30):
        found = (await ask(kernel.agent.connect, {"op": "variables", "kernel": "k"}))["variables"]
        await kernel.client.send(op="variables", id="v1", kernel="k")
        same = (await kernel.client.until(Reply, id="v1")).content["variables"]
        stat: dict[str, Any] = {"kernels": [{"state": "idle"}]}
        # The kernel says for itself that it is busy, and that may be on its way still.
        while stat["kernels"][0]["state"] == "idle":
            await kernel.client.send(op="stat", id="s1")
            stat = (await kernel.client.until(Reply, id="s1")).content
    (kernel.agent.content / "enough").touch()
    await kernel.finish(execution)

    assert [one["name"] for one in found[:3]] == ["big", "frame", "words"]
    assert found[0] == {"name": "big", "type": "ndarray", "bytes": found[0]["bytes"]}
    assert 80_000_000 <= found[0]["bytes"] < 80_001_000
    assert 900_000 < found[2]["bytes"] < 1_300_000
    assert same == found
    assert stat["kernels"][0]["state"] == "busy"
    assert stat["kernels"][0]["memory_bytes"] > 80_000_000


async def test_a_replaced_package_is_named_once_it_was_imported(kernel: Kernel) -> None:
    setup = """
import os, site, sys
home = site.getusersitepackages()
def install(name, version, old=None):
    os.makedirs(f'{home}/{name}-{version}.dist-info')
    open(f'{home}/{name}.py', 'w').write(f'v = {version!r}')
    open(f'{home}/{name}-{version}.dist-info/RECORD', 'w').write(f'{name}.py,,\\n{name}-{version}.dist-info/X,,\\n')
    if old:
        os.remove(f'{home}/{name}-{old}.dist-info/RECORD')
        os.rmdir(f'{home}/{name}-{old}.dist-info')
sys.path.append(home)
install('seen', '1.0'); install('unseen', '1.0')
"""
    home = kernel.agent.folder / "home"
    home.mkdir()
    client = kernel.client
    env = {"PYTHONUSERBASE": str(home)}
    await client.send(op="start_kernel", kernel="p", name="python3", cwd=str(kernel.agent.content), env=env)

    async def run(code: str) -> list[Message]:
        kernel.count += 1
        await client.send(op="execute", kernel="p", id=f"e{kernel.count}", code=code)
        found = []
        while True:
            frame = await client.next()
            if isinstance(frame, Message) and frame.parent == f"e{kernel.count}":
                found.append(frame)
                if frame.msg_type == "status" and frame.content["execution_state"] == "idle":
                    return found

    with anyio.fail_after(60):
        assert not [one for one in await run(setup) if one.msg_type in ("collegium_packages", "error")]
        await run("import seen")
        said = await run("install('seen', '2.0', '1.0'); install('unseen', '2.0', '1.0'); import unseen")
        after = await ask(kernel.agent.connect, {"op": "changed_imports", "kernel": "p"})
        quiet = await run("1")
        await run("install('seen', '1.0', '2.0')")
        back = await ask(kernel.agent.connect, {"op": "changed_imports", "kernel": "p"})
        await client.send(op="shutdown", kernel="p")

    change = {"name": "seen", "from": "1.0", "to": "2.0"}
    assert [one.content for one in said if one.msg_type == "collegium_packages"] == [{"changed": [change]}]
    assert after == {"changed": [change]}
    assert "collegium_packages" not in [one.msg_type for one in quiet]
    assert back == {"changed": []}


async def test_packages_are_compared_with_what_there_was_at_the_start(kernel: Kernel) -> None:
    found = await ask(kernel.agent.connect, {"op": "packages"})

    assert (found["added"], found["changed"], found["removed"]) == ([], [], [])
    assert "numpy" in [one["name"] for one in found["installed"]]
    before = json.loads((kernel.agent.folder / "state/packages.json").read_text())
    (kernel.agent.folder / "state/packages.json").write_text(
        json.dumps({**{name: v for name, v in before.items() if name != "numpy"}, "pandas": "0.1", "gone": "1"})
    )
    found = await ask(kernel.agent.connect, {"op": "packages"})

    assert found["added"] == [{"name": "numpy", "version": before["numpy"]}]
    assert found["changed"] == [{"name": "pandas", "from": "0.1", "to": before["pandas"]}]
    assert found["removed"] == [{"name": "gone", "version": "1"}]


async def test_a_kernel_that_dies_says_how_much_memory_it_had(kernel: Kernel) -> None:
    client = kernel.client
    await client.send(op="start_kernel", kernel="d", name="python3", cwd=str(kernel.agent.content), env={})
    code = "x = b'1' * 300_000_000\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    await client.send(op="execute", kernel="d", id="dies", code=code)
    with anyio.fail_after(60):
        end = await client.until(KernelChange, kernel="d", state="dead")

    assert end.signal == 9
    assert end.peak_bytes is not None
    assert 300_000_000 < end.peak_bytes < 900_000_000
