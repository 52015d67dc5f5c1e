"""Runs a notebook with nbclient in this process's own environment, on the Python of a runtime version; prints it."""

import json
import sys

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

SECONDS_MAX = 300


class PlainKernel(AsyncKernelManager):
    """A kernel of one interpreter, without a sandbox."""

    @property
    def kernel_spec(self) -> KernelSpec:
        command = [sys.argv[2], "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, language="python", display_name="Python 3")


notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, km=PlainKernel(), timeout=SECONDS_MAX, coalesce_streams=True).execute()
print(json.dumps(notebook))
