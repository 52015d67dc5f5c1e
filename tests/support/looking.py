"""What a machine can judge of a page that people look at: nothing sticks out, and axe finds nothing."""

from playwright.sync_api import Page

from support.environment import ROOT

AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
PICTURES = ROOT / "test-results"
ALLOWED = {"landmark-unique"}
"""Every cell's output is a region named Output: the name is a promise, and a number would be read out each time."""
RUN = """within => axe.run(within ?? document, { resultTypes: ['violations'], rules: {
        // Of colours that are the person's own, axe reads those that the page would have used.
        'color-contrast': { enabled: !matchMedia('(forced-colors: active)').matches } } })
    .then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 200))]))"""


def violations(page: Page, within: str | None = None) -> dict[str, list[str]]:
    """What axe finds on this page, or within what a selector says, by rule: the elements that break it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    return {rule: elements for rule, elements in page.evaluate(RUN, within) if rule not in ALLOWED}


def overflow(page: Page) -> int:
    """By how much the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def looked_at(page: Page, name: str) -> None:
    """Keep a picture for people, `test-results/{name}.png`, and fail at what a machine can judge."""
    PICTURES.mkdir(exist_ok=True)
    page.evaluate("document.fonts.ready")
    page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")
    assert overflow(page) <= 0, f"{name} is {overflow(page)} px too wide"
    found = violations(page)
    assert not found, f"{name}: {found}"
