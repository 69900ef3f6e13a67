"""Uploads stay in memory: a list with passwords must never lie in a temporary file."""

from __future__ import annotations

from io import BytesIO

from django.conf import settings
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest


class MemoryOnly(FileUploadHandler):
    """Keeps one byte more than the limit and drops the rest.

    ``size`` tells the truth, and whoever reads the content meets a file that is too large, not a
    connection that breaks: the browser gets its sentence.
    """

    chunk_size = 1024 * 1024

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._start()

    def _start(self) -> None:
        self.kept, self.seen = BytesIO(), 0

    def new_file(self, *args: object, **kwargs: object) -> None:  # Django's signature
        super().new_file(*args, **kwargs)  # type: ignore[arg-type]
        self._start()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        room = settings.USHER_IMPORT_MAX_BYTES + 1 - self.seen
        if room > 0:
            self.kept.write(raw_data[:room])
        self.seen += len(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        self.kept.seek(0)
        upload = InMemoryUploadedFile(
            file=self.kept,
            field_name=self.field_name,
            name=self.file_name,
            content_type=self.content_type,
            size=self.seen,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )
        self._start()
        return upload
