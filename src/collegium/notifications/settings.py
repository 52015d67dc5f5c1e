"""What an operator can set about mail."""

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, Field, SecretStr


class MailSettings(BaseModel, frozen=True):
    """Where mail is handed in, and in whose name. Without a host nobody gets any."""

    host: str | None = Field(default=None, max_length=253, description="The SMTP server that takes mail. Unset: none.")
    port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="How the line is encrypted: after a greeting (587), from the first byte (465), or not at all, for "
        "a server on this very machine.",
    )
    user: str | None = Field(default=None, description="Who signs in there. Unset: nobody needs to.")
    password: SecretStr | None = Field(default=None, description="The password for it.")
    sender: str = Field(
        default="collegium@localhost",
        max_length=254,
        pattern=r"^[^@\s<>\"]+@[^@\s<>\"]+$",
        description="The address that mail comes from.",
    )
    address: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/?#]+$",
        description="Where people open this installation, for the links in mail: https://collegium.example.org. "
        "Unset: mail has no links.",
    )
    timeout: timedelta = Field(
        default=timedelta(seconds=30), gt=timedelta(0), description="A mail that is not taken by then is tried later."
    )
    delay: timedelta = Field(
        default=timedelta(seconds=30),
        ge=timedelta(0),
        description="So long after something happened to a notebook without anything more, its people are mailed.",
    )
    delay_max: timedelta = Field(
        default=timedelta(minutes=5),
        ge=timedelta(0),
        description="They are mailed after this time at the latest, however much goes on.",
    )
    retry_scale: float = Field(
        default=1.0, gt=0, description="The waits between attempts, 30 s to 4 h, are multiplied by this."
    )
