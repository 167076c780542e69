"""A deprecated call of ours is an error in the tests, whichever module a library names in its warning."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

_LIBRARY = """
import functools, warnings

def old(level, kind):
    warnings.warn("old() is deprecated", kind, stacklevel=level)

def decorated(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        warnings.warn("it is deprecated", FutureWarning)
        return function(*arguments)
    return wrapper

@decorated
@functools.lru_cache
def other():
    return 1
"""


@pytest.fixture
def library() -> Iterator[ModuleType]:
    module = ModuleType("some_library")
    exec(_LIBRARY, module.__dict__)
    sys.modules[module.__name__] = module
    yield module
    del sys.modules[module.__name__]


@pytest.mark.parametrize("kind", [DeprecationWarning, PendingDeprecationWarning, FutureWarning])
@pytest.mark.parametrize("level", [1, 2])
def test_a_deprecated_call_is_an_error_whomever_the_library_names(
    library: ModuleType, kind: type[Warning], level: int
) -> None:
    with pytest.raises(kind, match="old"):
        library.old(level, kind)
    with pytest.raises(FutureWarning):
        library.other()


def test_what_libraries_do_among_themselves_and_other_warnings_are_none(library: ModuleType) -> None:
    another: dict[str, Callable[..., None]] = {"__name__": "another_library"}  # type: ignore[dict-item]
    exec("def use(called, kind):\n    called(1, kind)", another)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", FutureWarning)
        another["use"](library.old, FutureWarning)
        library.old(2, UserWarning)
    assert [(one.category, one.filename == __file__) for one in seen] == [(FutureWarning, False), (UserWarning, True)]


def test_a_test_may_still_ignore_one(library: ModuleType) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        library.old(1, DeprecationWarning)
    with pytest.warns(DeprecationWarning, match="old"):
        library.old(1, DeprecationWarning)


class _Odd:
    def __int__(self) -> int:
        return True


def test_what_the_interpreter_deprecates_is_an_error_in_our_lines() -> None:
    with pytest.raises(DeprecationWarning, match="__int__ returned"):
        int(_Odd())
