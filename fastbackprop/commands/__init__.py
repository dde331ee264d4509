"""What the commands have in common: exit codes, and one line on stderr instead of a traceback."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from fastbackprop.bad_input import BadInput
from fastbackprop.warmup import INTERRUPTED

FAILED = 1
BAD_INPUT = 2


def guarded(command: str, work: Callable[[argparse.Namespace], None]) -> Callable[[argparse.Namespace], int]:
    """The command's work with an exit code: 2 for what the user can mend, 1 for a training that fails, 130 after Ctrl-C."""

    def run(arguments: argparse.Namespace) -> int:
        def failed(message: object, code: int) -> int:
            print(f"fastbackprop {command}: {_one_line(message)}", file=sys.stderr)
            return code

        try:
            with _warnings_as_lines(command):
                work(arguments)
            sys.stdout.flush()
        except KeyboardInterrupt as error:
            return failed(f"interrupted {error}".rstrip(), INTERRUPTED)
        except BrokenPipeError:  # whoever reads has seen enough; the interpreter would complain once more when it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILED
        except (BadInput, ImportError) as error:
            return failed(error, BAD_INPUT)
        except OSError as error:
            return failed(f"{error.filename or 'a file'}: {error.strerror or error}", BAD_INPUT)
        except FloatingPointError as error:
            return failed(error, FAILED)
        except MemoryError as error:
            return failed(f"there is not enough memory: {error}", FAILED)
        return 0

    return run


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Within it what a training refuses becomes a BadInput."""
    try:
        yield
    except ValueError as error:
        raise BadInput(str(error)) from None
    except OSError as error:
        raise BadInput(f"{error.filename}: {error.strerror}") from None


def print_json(record: dict[str, Any]) -> None:
    """Print one JSON object; numbers that JSON does not have become null."""
    print(json.dumps(_finite(record), allow_nan=False))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _one_line(message: object) -> str:
    return " ".join(str(message).splitlines())


@contextlib.contextmanager
def _warnings_as_lines(command: str) -> Iterator[None]:
    """Warnings are one line on stderr, without the place in the sources."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        print(f"fastbackprop {command}: warning: {_one_line(message)}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield
