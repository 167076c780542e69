"""Backbones: how a family is loaded, which modalities it takes, where its towers are. One entry a family."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from affectllm.errors import NotFound

_TEMPLATE = Path(__file__).parent / "chat_templates" / "chatml.jinja"
_ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
_MLP = ("gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True)
class Backbone:
    """A family of checkpoints.

    Args:
        name: the family's name, as in ``tiny:<name>``.
        model_types: ``model_type`` values of checkpoints that load as this family.
        model_class: transformers class of the model.
        processor_class: transformers class of the processor or tokenizer.
        modalities: what the model takes.
        marks: media part → how the chat template writes it, with one placeholder token in it.
        placeholders: media part → the placeholder token that the processor expands.
        towers: tower → prefix of its modules, from the root of the model.
        older: prefix of modules → what older versions of transformers called it; adapters still carry these names.
        whole: prefix of this model's names in the whole model of which it is a part, as trainers of the whole save it.
        besides: first parts of the names of what else the whole model has; it takes no part in the answers.
        targets: tower → linear layers that LoRA adapts by default.
        frame_factor: height and width of frames must be multiples of this many pixels (patch × merge).
        longest_sound: seconds of sound that the family hears of a clip, or was made for; its processor drops the rest
            without a word. None where it takes no sound.
    """

    name: str
    model_types: tuple[str, ...]
    model_class: str
    processor_class: str
    modalities: frozenset[str]
    towers: Mapping[str, str]
    targets: Mapping[str, tuple[str, ...]]
    marks: Mapping[str, str] = field(default_factory=dict)
    placeholders: Mapping[str, str] = field(default_factory=dict)
    older: Mapping[str, str] = field(default_factory=dict)
    whole: str = ""
    besides: tuple[str, ...] = ()
    frame_factor: int = 28
    longest_sound: float | None = None

    def chat_template(self) -> str:
        """Jinja with ``{% generation %}`` marks around the assistant's tokens, end-of-turn token included."""
        text = _TEMPLATE.read_text(encoding="utf-8")
        for part in ("video", "audio", "image"):
            text = text.replace(f"@{part.upper()}@", self.marks.get(part, ""))
        return text

    def lora_regex(self, towers: Mapping[str, tuple[str, ...] | list[str] | None]) -> str:
        """A regular expression for PEFT's ``target_modules``: tower → layer names (None: the family's defaults).

        Raises:
            NotFound: for a tower that this family does not have.
        """
        patterns = []
        for tower, layers in towers.items():
            names = "|".join(re.escape(name) for name in layers or self.targets[tower])
            # A projector has its layers right below it, other towers deep within.
            patterns.append(rf"{re.escape(self.tower(tower))}\.(?:.*\.)?(?:{names})")
        return "|".join(f"(?:{pattern})" for pattern in patterns)

    def tower(self, name: str) -> str:
        """Module prefix of a tower."""
        if name not in self.towers:
            raise NotFound(f"{self.name} has no tower called {name!r}", do=f"choose among {', '.join(self.towers)}")
        return self.towers[name]


_OMNI_MARKS = {
    "video": "<|vision_bos|><|VIDEO|><|vision_eos|>",
    "audio": "<|audio_bos|><|AUDIO|><|audio_eos|>",
    "image": "<|vision_bos|><|IMAGE|><|vision_eos|>",
}
_VL_MARKS = {
    "video": "<|vision_start|><|video_pad|><|vision_end|>",
    "image": "<|vision_start|><|image_pad|><|vision_end|>",
}

BACKBONES = {
    backbone.name: backbone
    for backbone in (
        Backbone(
            name="qwen2_5_omni",
            # Hub checkpoints are the full model with its talker; only the thinker is loaded and saved.
            model_types=("qwen2_5_omni", "qwen2_5_omni_thinker"),
            model_class="Qwen2_5OmniThinkerForConditionalGeneration",
            processor_class="Qwen2_5OmniProcessor",
            modalities=frozenset({"text", "audio", "video", "image"}),
            towers={"language": "model.language_model", "vision": "model.visual", "audio": "model.audio_tower"},
            targets={
                "language": _ATTENTION + _MLP,
                "vision": ("q", "k", "v", "qkv", "proj", *_MLP),
                "audio": ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"),
            },
            marks=_OMNI_MARKS,
            placeholders={"video": "<|VIDEO|>", "audio": "<|AUDIO|>", "image": "<|IMAGE|>"},
            longest_sound=300.0,
            older={
                "model.language_model": "model",
                "model.visual": "visual",
                "model.audio_tower": "audio_tower",
            },
            whole="thinker",
            besides=("talker", "token2wav"),
        ),
        Backbone(
            name="qwen2_audio",
            model_types=("qwen2_audio",),
            model_class="Qwen2AudioForConditionalGeneration",
            processor_class="Qwen2AudioProcessor",
            modalities=frozenset({"text", "audio"}),
            towers={
                "language": "model.language_model",
                "audio": "model.audio_tower",
                "projector": "model.multi_modal_projector",
            },
            targets={
                "language": _ATTENTION + _MLP,
                "audio": ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"),
                "projector": ("linear",),
            },
            marks={"audio": "<|audio_bos|><|AUDIO|><|audio_eos|>\n"},
            placeholders={"audio": "<|AUDIO|>"},
            longest_sound=30.0,
            older={
                "model.language_model": "language_model.model",
                "model.audio_tower": "audio_tower",
                "model.multi_modal_projector": "multi_modal_projector",
                "lm_head": "language_model.lm_head",
            },
        ),
        Backbone(
            name="qwen2_5_vl",
            model_types=("qwen2_5_vl",),
            model_class="Qwen2_5_VLForConditionalGeneration",
            processor_class="Qwen2_5_VLProcessor",
            modalities=frozenset({"text", "video", "image"}),
            towers={"language": "model.language_model", "vision": "model.visual"},
            targets={"language": _ATTENTION + _MLP, "vision": ("qkv", "proj", *_MLP)},
            marks=_VL_MARKS,
            placeholders={"video": "<|video_pad|>", "image": "<|image_pad|>"},
            older={"model.language_model": "model", "model.visual": "visual"},
        ),
        Backbone(
            name="qwen2",
            model_types=("qwen2",),
            model_class="Qwen2ForCausalLM",
            processor_class="Qwen2Tokenizer",
            modalities=frozenset({"text"}),
            towers={"language": "model"},
            targets={"language": _ATTENTION + _MLP},
        ),
    )
}


def find_backbone(name: str) -> Backbone:
    """The backbone called ``name``.

    Raises:
        NotFound: with the names that exist.
    """
    if name not in BACKBONES:
        raise NotFound(f"there is no backbone called {name!r}", do=f"choose among {', '.join(BACKBONES)}")
    return BACKBONES[name]
