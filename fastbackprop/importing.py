"""Imports within functions, for which a fork waits.

Python keeps a lock for each module that is being imported, and does not renew it in a child: one that is forked while another
thread imports a module waits for ever when it asks for that module.
"""

import os
import threading

importing = threading.RLock()  # held while a function of this package imports


def _after_fork_in_child() -> None:
    if importing._is_owned():  # type: ignore[attr-defined]
        importing.release()
    else:  # an interrupt kept the fork from waiting
        importing._at_fork_reinit()  # type: ignore[attr-defined]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=importing.acquire, after_in_parent=importing.release, after_in_child=_after_fork_in_child)
