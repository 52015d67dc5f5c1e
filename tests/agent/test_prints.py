"""What a kernel does with what cells print, often and in small pieces: every one arrives, and none is kept."""

from collections.abc import AsyncIterator

import anyio
import pytest

from agent_kernel import Kernel, open_kernel

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def kernel() -> AsyncIterator[Kernel]:
    async with open_kernel() as opened:
        yield opened


async def test_what_was_printed_is_not_kept_in_the_kernel(kernel: Kernel) -> None:
    code = """
        import sys, tracemalloc
        print('before')
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        for n in range(50_000): print('line', n)
        sys.stdout.flush()
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        print(after - before)
    """
    grown = int(((await kernel.run(code))[0]).splitlines()[-1])

    assert grown < 1_000_000  # in small pieces it is several times as much


@pytest.mark.parametrize("asked", [False, True], ids=["usually", "asked to"])
async def test_what_was_displayed_is_not_kept_in_the_kernel(kernel: Kernel, asked: bool) -> None:
    code = f"""
        get_ipython().display_pub.store_display_history = {asked}
        import gc, time, tracemalloc
        from IPython.display import display
        display('before')
        tracemalloc.start()
        for n in range(50): display({{'text/plain': 'x' * 100_000}}, raw=True)
        for _ in range(300):  # what waits to be sent is not kept
            gc.collect()
            kept = [trace.size for trace in tracemalloc.take_snapshot().traces if trace.size >= 100_000]
            if not kept: break
            time.sleep(0.1)
        tracemalloc.stop()
        print(kept)
    """

    assert (await kernel.run(code))[0] == "[]\n"


async def test_threads_that_print_at_once_lose_nothing_and_keep_their_order(kernel: Kernel) -> None:
    code = """
        import sys, threading
        def say(name):
            for n in range(20_000): sys.stdout.write(f'{name} {n}\\n')
        threads = [threading.Thread(target=say, args=(name,)) for name in 'abc']
        for thread in threads: thread.start()
        for n in range(20_000):
            sys.stdout.write(f'm {n}\\n')
            if n % 5000 == 0: sys.stdout.flush()
        for thread in threads: thread.join()
    """
    lines = ((await kernel.run(code))[0]).splitlines()

    for name in "abcm":
        assert [line for line in lines if line.startswith(name)] == [f"{name} {n}" for n in range(20_000)]


async def test_what_a_fork_prints_arrives(kernel: Kernel) -> None:
    code = """
        import os, sys
        print('parent')
        sys.stdout.flush()
        print('again', end='')
        child = os.fork()
        if child == 0:
            print(' from the fork')
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)
    """

    with anyio.fail_after(60):
        assert " from the fork\n" in (await kernel.run(code))[0]


async def test_what_is_no_text_is_refused_with_the_same_words_at_any_moment(kernel: Kernel) -> None:
    code = """
        import sys
        for _ in range(2):
            try: sys.stdout.write(1)
            except TypeError as error: sys.stdout.write(f'{error}\\n')
        n = sys.stdout.write('four')
        print(n)
    """
    first, second, last = ((await kernel.run(code))[0]).splitlines()

    assert first == second
    assert "must be str" in first
    assert last == "four4"
