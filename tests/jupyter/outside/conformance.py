"""jupyter_kernel_test, whose messages go over a server's WebSocket instead of ZeroMQ: run in an environment with both.

`conformance.py URL TOKEN [v1|json]`
"""

import sys
import unittest
from typing import Any

import jupyter_kernel_test
from jupyter_kernel_client.manager import KernelHttpManager
from jupyter_kernel_client.wsclient import JupyterSubprotocol, WSSession

URL, TOKEN, LAYOUT = sys.argv[1:4]

read = WSSession.deserialize
# 1.0.2 logs each message by the name of its channel, which it does not find in this layout, and drops the message.
WSSession.deserialize = lambda self, *given, **options: {"channel": ""} | read(self, *given, **options)


class OverTheWire(jupyter_kernel_test.KernelTests):
    """The tests as they are; only where the kernel is differs."""

    @classmethod
    def setUpClass(cls) -> None:
        layout = JupyterSubprotocol.V1 if LAYOUT == "v1" else JupyterSubprotocol.DEFAULT
        cls.km = KernelHttpManager(server_url=URL, token=TOKEN, client_kwargs={"subprotocol": layout})
        cls.km.start_kernel(name=cls.kernel_name)
        cls.kc = cls.km.client
        cls.kc.start_channels()
        cls.kc.wait_for_ready(timeout=30)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.kc.stop_channels()
        cls.km.shutdown_kernel(now=True)


class Python(OverTheWire):
    """ipykernel."""

    kernel_name = "python3"
    language_name = "python"
    file_extension = ".py"
    code_hello_world = "print('hello, world')"
    code_stderr = "import sys; print('test', file=sys.stderr)"
    completion_samples = [{"text": "zi", "matches": {"zip"}}]
    complete_code_samples = ["1", "print('hello, world')", "def f(x):\n  return x*2\n\n\n"]
    incomplete_code_samples = ["print('''hello", "def f(x):\n  x*2"]
    invalid_code_samples = ["import = 7q"]
    code_page_something = "zip?"
    code_generate_error = "raise"
    code_execute_result = [
        {"code": "1+2+3", "result": "6"},
        {"code": "[n*n for n in range(1, 4)]", "result": "[1, 4, 9]"},
    ]
    code_display_data = [
        {"code": "from IPython.display import HTML, display; display(HTML('<b>test</b>'))", "mime": "text/html"},
        {"code": "from IPython.display import Math, display; display(Math('\\\\frac{1}{2}'))", "mime": "text/latex"},
    ]
    code_history_pattern = "1?2*"
    supported_history_operations = ("tail", "search")
    code_inspect_sample = "zip"
    code_clear_output = "from IPython.display import clear_output; clear_output()"


class Bash(OverTheWire):
    """A second language."""

    kernel_name = "bash"
    language_name = "bash"
    file_extension = ".sh"
    code_hello_world = "echo hello, world"
    code_generate_error = "false"
    completion_samples = [{"text": "unamesss", "matches": set()}]
    complete_code_samples: list[Any] = []


del OverTheWire
if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
