"""Anchors of comments through very many edits; the short form runs with the page's own tests."""

import os
import subprocess
import sys

import pytest

from support.environment import ROOT

pytestmark = pytest.mark.long

EDITS = 20_000


def test_anchors_mean_the_same_characters_after_ten_thousand_edits_each() -> None:
    command = [sys.executable, "hatch_build.py", "npm", "exec", "vitest", "run", "src/model/anchors.test.ts"]
    env = os.environ | {"COLLEGIUM_ANCHOR_EDITS": str(EDITS)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
