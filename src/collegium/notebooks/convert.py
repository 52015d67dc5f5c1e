"""A program of its own: a notebook on standard input, HTML or Markdown on standard output. Runs no cell."""

import sys
from typing import Any


def main() -> None:
    """Convert by nbconvert with its own templates only: no configuration, no files, no network."""
    format, name = sys.argv[1], sys.argv[2]
    import jupyter_core.paths
    import nbformat
    from nbconvert.exporters import HTMLExporter, MarkdownExporter
    from traitlets.config import Config

    # Templates come from the package alone, never from a folder of the person who runs the server.
    jupyter_core.paths.jupyter_path = lambda *parts: [f"{sys.prefix}/share/jupyter/{'/'.join(parts)}"]
    config = Config()
    config.ExtractOutputPreprocessor.enabled = False
    kind: Any = HTMLExporter if format == "html" else MarkdownExporter
    exporter = kind(config=config)
    notebook = nbformat.reads(sys.stdin.buffer.read().decode(), as_version=4)  # type: ignore[no-untyped-call]
    body, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": name}})
    sys.stdout.buffer.write(body.encode())


if __name__ == "__main__":
    main()
