"""What an operator can set of where blobs are kept."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class BlobSettings(BaseModel):
    """The branch `blobs` of the settings: files of the drive, large outputs, checkpoints."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["local", "s3"] = Field(
        default="local", description="Where they are kept: in the data folder, or in a bucket that speaks S3."
    )
    bucket: str | None = Field(default=None, description="The bucket. It must exist.")
    prefix: str = Field(default="", description="Put before every name, so that others may use the same bucket.")
    endpoint: str | None = Field(
        default=None, description="The address of the object store, like https://s3.example.org; Amazon's if left out."
    )
    region: str = Field(default="us-east-1", description="The region of the bucket.")
    access_key_id: SecretStr | None = Field(
        default=None, description="The key. Without it, what AWS_ACCESS_KEY_ID or the machine's own role says."
    )
    secret_access_key: SecretStr | None = Field(default=None, description="The secret that belongs to the key.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "s3" and not self.bucket:
            raise ValueError("blobs in S3 need COLLEGIUM_BLOBS__BUCKET")
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("a key and its secret come together: COLLEGIUM_BLOBS__ACCESS_KEY_ID, …SECRET_ACCESS_KEY")
        return self
