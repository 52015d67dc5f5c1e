"""The API of what a person set about the page."""

from typing import Annotated

from fastapi import APIRouter, Depends

from collegium.accounts.model import Principal
from collegium.accounts.preferences import Preferences
from collegium.accounts.preferences_model import PageSettings
from collegium.accounts.service import signed_in

Signed = Annotated[Principal, Depends(signed_in)]


def routes(preferences: Preferences) -> APIRouter:
    """One's own settings of the page, relative to /api/v1."""
    router = APIRouter(prefix="/me/settings", tags=["accounts"])

    @router.get(
        "", response_model=PageSettings, response_model_exclude_unset=True, summary="What one chose about the page"
    )
    async def read_settings(principal: Signed) -> PageSettings:
        return await preferences.read(principal)

    @router.patch(
        "",
        response_model=PageSettings,
        response_model_exclude_unset=True,
        summary="Choose something about the page; all choices after it",
    )
    async def change_settings(change: PageSettings, principal: Signed) -> PageSettings:
        return await preferences.change(principal, change)

    return router
