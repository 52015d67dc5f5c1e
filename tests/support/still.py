"""Notebooks whose cells have outputs already, open where nothing runs."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page

from support.notebook import cell, open_notebook
from support.server import Server


@dataclass
class Still:
    """A server without runtimes, somebody's token, and their page."""

    server: Server
    token: str
    page: Page

    def opened(self, *htmls: str | None) -> list[Locator]:
        """A notebook whose cells have these for saved outputs, and where there is None, none: the cells."""
        cells: list[dict[str, Any]] = [
            {
                "id": f"c{at}",
                "cell_type": "code",
                "metadata": {},
                "source": "",
                "outputs": []
                if html is None
                else [{"output_type": "display_data", "metadata": {}, "data": {"text/html": html}}],
                "execution_count": None,
            }
            for at, html in enumerate(htmls)
        ]
        open_notebook(self.page, self.server, self.server.notebook_of(self.token, cells, name="still.ipynb"))
        return [cell(self.page, f"c{at}") for at in range(len(htmls))]
