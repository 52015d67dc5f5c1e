"""Collegium: a Colab that people run themselves. This is the server."""

from importlib.metadata import version

__version__ = version("collegium")
