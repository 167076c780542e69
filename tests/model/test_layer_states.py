"""Hidden states by layer: a batch gives what each conversation alone gives, also after further tokens."""

from __future__ import annotations

from pathlib import Path

import pytest
from family_clips import NAMES, encoded, encoder_of, make_clips, talks_for, tiny_model

from affectllm.errors import WrongCheckpoint
from affectllm.model.layer_states import layer_states

_CHEAP = "llama"
_OTHERS = [pytest.param(name, marks=pytest.mark.thorough) for name in NAMES if name != _CHEAP]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clips(tmp_path_factory.mktemp("clips"))


@pytest.mark.parametrize("name", [_CHEAP, *_OTHERS])
def test_a_batch_gives_what_each_conversation_alone_gives(name: str, root: Path) -> None:
    import torch

    model = tiny_model(name)
    encoder = encoder_of(model, root)
    prompts = [encoded(encoder, talk[:1], generation_prompt=True) for talk in talks_for(model.family)[:3]]
    for pool in ("last", "mean"):
        together = layer_states(model, encoder, prompts, pool, (3,))
        assert together.shape[:2] == (len(prompts), 2)
        assert together.shape[2] >= 2
        for row, prompt in enumerate(prompts):
            alone = layer_states(model, encoder, [prompt], pool, (3,))[0]
            torch.testing.assert_close(together[row], alone, atol=2e-4, rtol=2e-3)
            # What comes later does not change what was before.
            first = layer_states(model, encoder, [prompt], pool)[0, 0]
            torch.testing.assert_close(alone[0], first, atol=2e-4, rtol=2e-3)
            assert not torch.allclose(alone[0], alone[1], atol=1e-3)


def test_a_model_without_outputs_of_layers_is_refused() -> None:
    from types import SimpleNamespace

    import torch

    from affectllm.model.pooled import stacked

    with pytest.raises(WrongCheckpoint, match="gives no outputs of layers"):
        stacked(SimpleNamespace(hidden_states=None), "it")
    shrinking = (torch.zeros(1, 4, 8), torch.zeros(1, 2, 16))
    with pytest.raises(WrongCheckpoint, match="unlike widths"):
        stacked(SimpleNamespace(hidden_states=shrinking), "it")
