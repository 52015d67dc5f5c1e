"""What an operator can set about signing in."""

from datetime import timedelta

from pydantic import BaseModel, Field


class AccountsSettings(BaseModel, frozen=True):
    """Logins, tokens and how patient sign-in is."""

    login_lifetime: timedelta = Field(
        default=timedelta(days=30), gt=timedelta(0), description="A login ends this long after signing in."
    )
    login_idle_lifetime: timedelta = Field(
        default=timedelta(days=14), gt=timedelta(0), description="A login that is not used for this long ends."
    )
    setup_link_lifetime: timedelta = Field(
        default=timedelta(days=7),
        gt=timedelta(0),
        description="The first administrator's link holds for this long; a restart prints a new one.",
    )
    sign_in_failures_per_address: int = Field(
        default=100, ge=1, description="So many failed sign-ins are borne from one address within the window."
    )
    sign_in_failures_per_email: int = Field(
        default=10, ge=1, description="So many failed sign-ins are borne for one e-mail address within the window."
    )
    sign_in_window: timedelta = Field(
        default=timedelta(minutes=10), gt=timedelta(0), description="The time in which failed sign-ins are forgiven."
    )
    search_characters_min: int = Field(
        default=3, ge=1, description="Who looks for people to share with types so many characters before names come."
    )
    trust_proxy: bool = Field(
        default=False,
        description="A reverse proxy in front sets X-Forwarded-Proto and X-Forwarded-For, and nobody else can.",
    )
    watch_interval: timedelta = Field(
        default=timedelta(seconds=2),
        gt=timedelta(0),
        description="How often logins behind open sockets, and who is in which group, are checked for what ended or "
        "changed elsewhere.",
    )
