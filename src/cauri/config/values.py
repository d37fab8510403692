"""What a setting may be."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Port = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=0)]
Text = Annotated[str, Meta(min_length=1)]
Secret = Annotated[str, Meta(min_length=16)]


class BadSettings(ValueError):
    """``faults``: one line for each missing or wrong setting, each saying what to do."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
