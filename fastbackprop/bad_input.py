"""The one error for what a user hands to a command, and the checks of a file that is to be read."""

import os
import stat
from pathlib import Path


class BadInput(ValueError):
    """One line: the file, the place in it, and what was expected."""


def input_file(path: str | os.PathLike[str]) -> Path:
    """The path of a file that is there, can be opened and is not empty; a BadInput says what it is instead."""
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist; expected a file") from None
    except IsADirectoryError:
        raise BadInput(f"{path} is a folder; expected a file") from None
    except OSError as error:
        kind = "is a folder; expected a file" if os.path.isdir(path) else f"cannot be read: {error.strerror}"
        raise BadInput(f"{path} {kind}") from None
    except ValueError as error:  # NUL, or what the file system's encoding lacks
        raise BadInput(f"{path!r} is no name of a file: {error}") from None
    if stat.S_ISREG(status.st_mode) and not status.st_size:
        raise BadInput(f"{path} is empty")
    return Path(path)
