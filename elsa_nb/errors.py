"""The errors a caller may want to catch; everything else is a `ValueError`."""


class MissingDataError(FileNotFoundError):
    """Say which data are missing, where they were looked for and what makes them."""

    def __str__(self) -> str:
        """Return the sentence alone (`OSError` would wrap it in errno and file name)."""
        return str(self.args[0]) if self.args else ""


class CorruptFileError(ValueError):
    """Say which stored file does not match its checksum or format, and how to make it again."""


class BusyError(OSError):
    """Say what another process is writing, which process that is, and since when."""
