"""The progress bar of a training: iterations, cost, time left; in a notebook too. It needs tqdm, the extra ``progress``."""

from types import TracebackType
from typing import Any

from fastbackprop.extras import missing

try:
    from tqdm.auto import tqdm
except ImportError as error:
    raise missing("progress=True", "progress") from error


class ProgressBar:
    """A bar that begins at iteration `done` of `iterations`."""

    def __init__(self, done: int, iterations: int) -> None:
        self.bar = tqdm(total=iterations, initial=done, miniters=1)

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.bar.close()

    def __call__(self, descent: Any) -> None:
        """Show the training's progress."""
        if descent.costs:
            self.bar.set_postfix_str(f"cost {descent.costs[-1]:.6f}", refresh=False)
        self.bar.update(descent.done - self.bar.n)

    @staticmethod
    def write(line: str) -> None:
        """Print a line above the bar."""
        tqdm.write(line)
