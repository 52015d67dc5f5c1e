"""What a person can set about the page, with its ranges; the page's own list is `web/src/settings/model.ts`.

Only what somebody chose is kept: what they left alone follows the page's defaults, also those of a newer page.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

SETTINGS_BYTES_MAX = 128 * 1024
"""All that is kept for one person, as JSON."""
COMMANDS_MAX = 400
NOTIFY_SECONDS_MAX = 86_400

Keys = Annotated[str, Field(min_length=1, max_length=60)]
CommandId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


class Part(BaseModel):
    """Some of the settings of one subject, named as the page names them; what is not set is not there."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)


class SiteSettings(Part):
    """The page as a whole."""

    language: Literal["system", "en", "de"] = Field(default="system", description="Of the page's words.")
    notify_after: int = Field(
        default=0,
        ge=0,
        le=NOTIFY_SECONDS_MAX,
        description="Tell the desktop when a run that took longer than this many seconds ends; 0: never.",
    )


class EditorSettings(Part):
    """The text of cells."""

    font_family: str = Field(default="", max_length=200)
    font_size: int = Field(default=14, ge=8, le=32, description="In CSS pixels.")
    indent: Literal[2, 4] = 4
    line_numbers: bool = False
    wrap: bool = False
    folding: bool = True
    close_brackets: bool = True
    ligatures: bool = False
    guides: bool = False
    rulers: list[Annotated[int, Field(ge=1, le=400)]] = Field(default=[], max_length=8, description="Columns.")
    complete_while_typing: bool = True
    accept_on_enter: bool = True
    diagnostics: Literal["off", "syntax", "types"] = "syntax"


class KeySettings(Part):
    """The keyboard."""

    preset: Literal["default", "jupyterlab", "vim"] = "default"
    bindings: dict[CommandId, Annotated[list[Keys], Field(max_length=8)]] = Field(
        default={}, max_length=COMMANDS_MAX, description="A command's own keys; an empty list: none."
    )


class Snippet(Part):
    """A piece of somebody's own code, under a name of theirs."""

    name: str = Field(min_length=1, max_length=80)
    source: str = Field(min_length=1, max_length=10_000)


class SnippetSettings(Part):
    """Code to begin with."""

    own: list[Snippet] = Field(default=[], max_length=100)


class AccessibilitySettings(Part):
    """What makes the page fit for somebody."""

    contrast: Literal["system", "more"] = "system"
    motion: Literal["system", "less"] = "system"
    announce: bool = Field(default=True, description="Tell a screen reader when a cell runs, ends or fails.")
    tab_moves_focus: bool = False


class PageSettings(Part):
    """What somebody chose, or a change of it."""

    site: SiteSettings = SiteSettings()
    editor: EditorSettings = EditorSettings()
    keys: KeySettings = KeySettings()
    snippets: SnippetSettings = SnippetSettings()
    accessibility: AccessibilitySettings = AccessibilitySettings()

    def chosen(self) -> dict[str, dict[str, Any]]:
        """Only what was set, by subject and name."""
        return {part: values for part, values in self.model_dump(by_alias=True, exclude_unset=True).items() if values}


def merged(kept: dict[str, dict[str, Any]], change: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What is kept, with a change in it: a value replaces the former one as a whole."""
    return {part: kept.get(part, {}) | change.get(part, {}) for part in {**kept, **change}}
