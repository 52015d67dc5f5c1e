"""jupyter-kernel-client against a server: run by the interpreter of an environment that has it."""

import sys

from jupyter_kernel_client import JupyterKernelClient

url, token = sys.argv[1:]
with JupyterKernelClient(server_url=url, token=token) as kernel:
    first = kernel.execute("import os\nprint('hey', flush=True)\n6 * 7")
    assert first["status"] == "ok", first
    assert [output["output_type"] for output in first["outputs"]] == ["stream", "execute_result"], first
    assert first["outputs"][1]["data"]["text/plain"] == "42", first
    asked = kernel.execute(
        "print(input('name? ') + '!')", allow_stdin=True, stdin_hook=lambda _: kernel._manager.client.input("Ada")
    )
    assert asked["outputs"][0]["text"] == "Ada!\n", asked
    failed = kernel.execute("1 / 0")
    assert failed["status"] == "error", failed
    kernel.execute("x = 5")
    kernel.restart()
    gone = kernel.execute("x")
    assert gone["outputs"][0]["ename"] == "NameError", gone
    assert kernel.kernel_info["language_info"]["name"] == "python"
print("well")
