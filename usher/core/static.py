"""Static files under hashed names, kept for ever; plain names until `make assets` has collected them."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    def stored_name(self, name: str) -> str:
        return str(super().stored_name(name)) if self.hashed_files else name
