"""What a method names in other libraries."""

from __future__ import annotations

import pytest

from affectllm.errors import Malformed
from affectllm.train.method import Method


@pytest.mark.parametrize("dotted", ["trl.NopeConfig", "no_such_library.Config"])
def test_a_class_that_no_library_has_is_told_in_one_sentence(dotted: str) -> None:
    with pytest.raises(Malformed, match=f"names {dotted}, and there is none"):
        Method(title="x", config=dotted, trainer=dotted).config_class()
