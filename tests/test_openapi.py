"""The browser's types are made from what the server says of itself; this holds the two together."""

import json
from pathlib import Path

import pytest

from collegium.app import create_app, open_house
from collegium.settings import Settings

pytestmark = pytest.mark.anyio

WRITTEN = Path(__file__).parents[1] / "web/openapi.json"


async def test_the_page_knows_the_api_as_it_is(tmp_path: Path) -> None:
    async with open_house(Settings(data=tmp_path, engine="none")) as house:
        given = json.loads(json.dumps(create_app(house).openapi()))

    assert json.loads(WRITTEN.read_text()) == given, "run `make types` and commit what it writes"
