"""What stands in place of a kernel's function introduces itself as that function: to `help`, to `inspect`, by its repr."""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, NoReturn

SHOWN = 3  # parameters in a repr


class Introduced:
    """Name, docstring, module and signature are those of `function`, which `inspect.unwrap` returns."""

    usage: ClassVar[str]  # how it is called, since not as it is
    __name__: str

    def introduce(self, function: Callable[..., Any]) -> None:
        self.function = function
        functools.update_wrapper(self, function)

    def __get__(self, instance: object, owner: type | None = None) -> "Introduced":
        """Itself; to have one makes it a routine for `inspect`: `help` shows its signature, and that of its module lists it."""
        return self

    def __call__(self, *arguments: Any, **options: Any) -> NoReturn:
        """`inspect.signature` asks for one."""
        raise TypeError(f"{self.__name__} is not called as it is: {self.usage}")

    def described(self, compiled: Iterable[str], plain: bool) -> str:
        """The repr; `compiled` names the dtypes for which there is machine code, `plain` is whether there will be none."""
        names = list(inspect.signature(self.function).parameters)
        parameters = ", ".join([*names[:SHOWN], *(["..."] if len(names) > SHOWN else [])])
        state = "plain Python" if plain else f"{' and '.join(compiled) or 'not'} compiled"
        return f"<{type(self).__name__.lower()} {self.__name__}({parameters}), {state}>"
