"""Check shapes, and nothing else, while testing: `make` hands this to jaxtyping's import hook.

A checker of all types would answer before our own errors do, which say more and have tests of their
own; and it would refuse what every type checker takes, such as an int for a float.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_args

from beartype import BeartypeConf, beartype
from jaxtyping import AbstractArray

LENIENT = BeartypeConf(is_pep484_tower=True)


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let beartype see only the annotations that have a shape."""
    function.__annotations__ = {name: hint for name, hint in function.__annotations__.items() if has_shape(hint)}
    return beartype(function, conf=LENIENT)


def has_shape(hint: Any) -> bool:
    """Whether an annotation is, or holds, an array with axes."""
    return (inspect.isclass(hint) and issubclass(hint, AbstractArray)) or any(map(has_shape, get_args(hint)))
