"""The scalar types that several models share, each with the words that explain a value that does not fit."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StrictBool, StrictInt

from fleetmgr.spec.plain import DNS_LABEL

DURATION = r"^([0-9]{1,6}(\.[0-9]{1,6})?(h|ms|m|s)){1,4}$"
HOST = r"^[A-Za-z0-9]([-A-Za-z0-9.]{0,251}[A-Za-z0-9])?(:[0-9]{1,5})?$"
PERCENTAGE = r"^(100|[1-9]?[0-9])%$"
BACKEND = r"^((file|s3|gs|azblob|postgres)://[^\s@]+|https?://[^\s@/]+[^\s@]*)$"
SECRETS_PROVIDER = r"^(default|passphrase|(awskms|azurekeyvault|gcpkms|hashivault)://[^\s]+)$"

PATTERNS = {
    DNS_LABEL: "a DNS label: at most 63 of a-z, 0-9 and `-`, starting and ending with a letter or digit",
    HOST: "a host such as github.com or git.example:8443",
    DURATION: "a duration such as 30s, 10m or 1h30m",
    PERCENTAGE: "a percentage such as 10%",
    BACKEND: "a URL such as file:///srv/pulumi, s3://bucket/path or https://api.pulumi.com, without credentials",
    SECRETS_PROVIDER: "default, passphrase, or a URL such as awskms://alias/fleet?region=eu-west-1",
}
"""What a pattern means, for messages."""

Name: TypeAlias = Annotated[str, Field(pattern=DNS_LABEL)]
Duration: TypeAlias = Annotated[str, Field(pattern=DURATION)]
Percentage: TypeAlias = Annotated[str, Field(pattern=PERCENTAGE)]
Bool: TypeAlias = StrictBool
Count: TypeAlias = Annotated[StrictInt, Field(ge=0, le=2**31 - 1)]
CommitRule: TypeAlias = Literal["never", "committed", "pushed"]
StringMap: TypeAlias = dict[str, str]
