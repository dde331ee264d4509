"""Tracebacks as plain Python shows them: without the frames that serve the user's functions."""

from __future__ import annotations

import itertools
import types
from pathlib import Path

import fastbackprop
from fastbackprop.examination.sandbox import in_library

_PACKAGE = str(Path(fastbackprop.__file__).parent)
_TAKEOVER = str(Path(__file__).parent)


def strip(error: BaseException, outermost: types.CodeType) -> None:
    """Take our frames out of the tracebacks of an exception and of those that it followed: all down to the code ``outermost``,
    and what lies between a function of the user's and the one that it called."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.__traceback__ = _kept(one.__traceback__, outermost)
        waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]


def _kept(traceback: types.TracebackType | None, outermost: types.CodeType) -> types.TracebackType | None:
    entries: list[types.TracebackType] = []
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    codes = [entry.tb_frame.f_code for entry in entries]
    kept: list[types.TracebackType] = []
    serving = False  # whether this frame was called by one of ours, without a function of the user's between them
    for entry in entries[codes.index(outermost) + 1 if outermost in codes else 0 :]:
        file = entry.tb_frame.f_code.co_filename
        if file.startswith(_TAKEOVER):
            serving = True
            while kept and kept[-1].tb_frame.f_code.co_filename.startswith("<frozen importlib"):
                kept.pop()  # the import that our loader is part of
        elif serving and (file.startswith((_PACKAGE, "<frozen")) or in_library(file)):
            continue
        else:
            serving = False
            kept.append(entry)
    for entry, following in itertools.zip_longest(kept, kept[1:]):
        entry.tb_next = following
    return kept[0] if kept else None
