"""What an operator can set of what is reached inside runtimes."""

from datetime import timedelta

from pydantic import BaseModel, Field


class InsideSettings(BaseModel):
    """Terminals, files and the ports of people's own servers."""

    model_config = {"frozen": True}

    ports_domain: str | None = Field(
        default=None,
        max_length=200,
        pattern=r"^([a-z0-9-]+\.)*[a-z0-9-]+(:[0-9]{1,5})?$",
        description="Below this domain every server inside a runtime gets its own name (`*.apps.example.org`, with "
        "DNS and TLS for all of them). Take a domain that nothing else lives on, and no part of Collegium's own. "
        "Unset: `*.localhost`, for who reaches Collegium by a loopback address, and nobody else.",
    )
    visit_lifetime: timedelta = Field(
        default=timedelta(days=1), description="After this long, a visit to a port is opened anew from Collegium."
    )
    answer_timeout: timedelta = Field(
        default=timedelta(minutes=2), description="A server inside that has not begun to answer by then does not."
    )
    streams_max: int = Field(
        default=64, ge=1, description="Requests and sockets to the ports of one runtime that are open at once."
    )
