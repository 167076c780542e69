"""Model families: loading, media inputs, positions and LoRA targets of one architecture. One file per family.

The files lie in ``model/families/`` and, for users, in ``families/`` of a folder of ``$AFFECTLLM_PATH``. Each holds
``FAMILY`` and ``tiny(make_tokenizer)``, which returns the configuration and the processor of its tiny random twin.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from affectllm import registry
from affectllm.errors import Malformed, NotFound
from affectllm.imported import import_file
from affectllm.model.processor_arguments import plain_image, plain_sound, plain_video
from affectllm.model.talker import Talker

if TYPE_CHECKING:
    import numpy as np

    from affectllm.model.clips.media import Clip

_TEMPLATES = Path(__file__).parent / "chat_templates"
ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP = ("gate_proj", "up_proj", "down_proj")
EXPERTS = ("experts.gate_up_proj", "experts.down_proj")
TENSORS: Mapping[str, str] = {
    "video": "pixel_values_videos",
    "audio": "input_features",
    "image": "pixel_values",
}
Towers = Mapping[str, Collection[str] | None]
CHAT_FORMATS: Mapping[str, str] = {"<|im_end|>": "chatml"}
"""Token that ends a turn → the chat template of models of any architecture."""
Tiny = tuple[Any, Any]
"""Configuration of a model class and the processor (or tokenizer) for it."""


@dataclass(frozen=True)
class Family:
    """The description of all checkpoints of one architecture.

    Args:
        model_types: ``model_type`` values of checkpoints that load as this family.
        model_class: class of the model, of transformers or as ``package.module:Class``.
        processor_class: the same of the processor or tokenizer.
        modalities: what the model takes.
        towers: tower → prefix of its modules, from the root of the model. Together they hold every weight but the head.
            One may lie within another, as the projector does in some vision towers; what lies in both is the inner
            one's. They are called ``language``, ``vision``, ``audio``, and ``projector``, or ``vision_projector`` and
            ``audio_projector`` where there are two.
        targets: tower → linear layers that LoRA adapts by default.
        parameters: tower → weights that are no layer of their own, such as experts, which LoRA adapts where a recipe
            names them, and by default where the tower has nothing else.
        apart: prefix of further modules, or a single weight → the tower that it belongs to.
        marks: media part → how the chat template writes it, with one placeholder token in it.
        placeholders: media part → the placeholder token that the processor expands.
        bounds: media part → first and last token of what the processor makes of its placeholder, where it writes text
            around them, which grows together with the text of the conversation and so belongs to the mark.
        template: chat template, a file in ``chat_templates/``.
        system: what the template's first turn says where the conversation has no system message; "" for no such turn.
        lead: what the template writes between the assistant's name and its answer as a part of the answer's first
            token: vicuna's space.
        end_of_turn: token with which the template ends an answer.
        rope: whose rule gives multimodal rotary positions: ``omni``, ``vl``, or "" for plain positions.
        kinds: name of the tensor of token kinds (text, image, video, audio) that the model wants beside the tokens.
        padded: media tensor → dimension in which clips differ, so that it is padded in a batch.
        filling: media tensor → value of its padding where that is not 0.
        same_frames: whether all videos of a batch must have as many frames. Every clip then has as many as the budget
            allows at most; frames of a shorter one are repeated evenly.
        by_frame: media tensors ``[clips, frames, …]`` whose frames are handed over as clips of one frame each, so that
            clips of unlike length share a batch.
        tensors: modality → the media tensor that carries it.
        sound: where the sound of a video goes: ``interleaved`` with its frames, ``after`` them, or "" where the family
            hears no sound of a video. With ``after`` the processor itself must write the marks around clips.
        video_options, image_options, sound_options: what a processor is told about a clip that has its size already.
        frame_factor: height and width of frames must be multiples of this many pixels (patch × merge).
        longest_sound: seconds of sound that the family hears of a clip, or was made for; its processor drops the rest
            without a word. None where nothing is dropped.
        shortest_sound: seconds up to which a sound is filled with silence, where the tower would otherwise make of a
            shorter one what depends on the sounds that share its batch.
        eager: parts of the configuration whose towers have no attention kernel but the plain one.
        unbounded: last names of weights that are bounds, and infinite where nothing is cut off.
        packs: whether conversations may share a row of a batch without seeing each other.
        rounding: how far apart the logits of a conversation alone and in a batch may lie in float32, for logits of
            about 1; its kernels may sum over many positions.
        older: prefix of modules → what older versions of transformers called it; adapters still carry these names.
        whole: prefix of this model's names in the whole model of which it is a part, as trainers of the whole save it.
        besides: first parts of the names of what else the whole model has; it takes no part in the answers.
        talker: how the whole speaks its replies; None where it does not.
        name: of its file, as in ``tiny:<name>``; filled in by ``find_family``.
        file: where it lies; filled in by ``find_family``.
        tiny: makes the tiny twin; the file's function of this name.
    """

    model_types: tuple[str, ...]
    model_class: str
    modalities: frozenset[str]
    towers: Mapping[str, str]
    targets: Mapping[str, tuple[str, ...]]
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    apart: Mapping[str, str] = field(default_factory=dict)
    processor_class: str = "AutoTokenizer"
    marks: Mapping[str, str] = field(default_factory=dict)
    placeholders: Mapping[str, str] = field(default_factory=dict)
    bounds: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    template: str = "chatml"
    system: str = ""
    lead: str = ""
    end_of_turn: str = "<|im_end|>"
    rope: Literal["", "omni", "vl"] = ""
    kinds: str = ""
    padded: Mapping[str, int] = field(default_factory=dict)
    filling: Mapping[str, int] = field(default_factory=dict)
    same_frames: bool = False
    by_frame: frozenset[str] = frozenset()
    tensors: Mapping[str, str] = field(default_factory=lambda: TENSORS)
    sound: Literal["", "interleaved", "after"] = ""
    video_options: Callable[[Clip], dict[str, Any]] = plain_video
    image_options: Callable[[np.ndarray], dict[str, Any]] = plain_image
    sound_options: Callable[[Any, Clip], dict[str, Any]] = plain_sound
    frame_factor: int = 28
    longest_sound: float | None = None
    shortest_sound: float = 0.0
    eager: tuple[str, ...] = ()
    unbounded: frozenset[str] = frozenset()
    packs: bool = False
    rounding: float = 2e-5
    older: Mapping[str, str] = field(default_factory=dict)
    whole: str = ""
    besides: tuple[str, ...] = ()
    talker: Talker | None = None
    name: str = ""
    file: Path = Path()
    tiny: Callable[[Callable[..., Any]], Tiny] | None = None

    def network_class(self) -> Any:
        """Return the class of the model."""
        return _class_called(self.model_class)

    @property
    def module(self) -> str:
        """The module that the class of the model is imported from."""
        return self.model_class.rpartition(":")[0] or "transformers"

    @property
    def class_name(self) -> str:
        """The name of the class of the model."""
        return self.model_class.rpartition(":")[2]

    def processor_type(self) -> Any:
        """Return the class of the processor or tokenizer."""
        return _class_called(self.processor_class)

    def speaking(self, vocabulary: Collection[str]) -> Family:
        """Return the family with the chat format that a checkpoint's tokenizer knows.

        Its own where the tokenizer has the token that ends a turn; else one that models of any architecture are tuned
        on, such as SmolLM2, a Llama that speaks ChatML.
        """
        if self.end_of_turn in vocabulary:
            return self
        ends = (end for end in CHAT_FORMATS if end in vocabulary)
        end = next(ends, None)
        return self if end is None else replace(self, template=CHAT_FORMATS[end], end_of_turn=end, lead="")

    def chat_template(self) -> str:
        """Jinja with ``{% generation %}`` marks around the assistant's tokens, end-of-turn token included."""
        text = (_TEMPLATES / f"{self.template}.jinja").read_text(encoding="utf-8").replace("@SYSTEM@", self.system)
        for part in ("video", "audio", "image"):
            text = text.replace(f"@{part.upper()}@", self.marks.get(part, ""))
        return text

    def lora_regex(self, towers: Towers) -> str:
        """Return a regular expression for PEFT's ``target_modules``; "" where only weights that are no layer are named.

        Args:
            towers: tower → names of its layers and weights; None for the family's defaults.

        Raises:
            NotFound: for a tower that this family does not have.
        """
        return self._pattern(towers, layers=True)

    def lora_parameters(self, towers: Towers) -> str:
        """The same for whole names of the weights that are no layer: those for PEFT's ``target_parameters``.

        Raises:
            NotFound: for a tower that this family does not have.
        """
        return self._pattern(towers, layers=False)

    def _pattern(self, towers: Towers, *, layers: bool) -> str:
        patterns = []
        for tower, named in towers.items():
            weights = self.parameters.get(tower, ())
            names = [name for name in named or self.targets[tower] or weights if (name in weights) != layers]
            if names:
                patterns += [self._within(prefix, names) for prefix in self.prefixes(tower)]
        return "|".join(f"(?:{pattern})" for pattern in patterns)

    def _within(self, prefix: str, names: Collection[str]) -> str:
        """A pattern for the ends of names below a prefix, without the towers that lie within."""
        others = (*self.towers.values(), *self.apart)
        inner = [re.escape(other[len(prefix) + 1 :]) for other in others if other.startswith(f"{prefix}.")]
        # A projector has its layers right below it, or is one, and other towers have them deep within.
        deep = rf"(?!(?:{'|'.join(inner)})\.)(?:.*\.)?" if inner else r"(?:.*\.)?"
        ends = "|".join(map(re.escape, names))
        below = rf"\.(?:{deep})?(?:{ends})"
        return re.escape(prefix) + (f"(?:{below})?" if prefix.rpartition(".")[2] in names else below)

    def tower_of(self, weight: str) -> str | None:
        """The tower that a weight or a module of the model belongs to; None for the head."""
        owners = {**{prefix: tower for tower, prefix in self.towers.items()}, **self.apart}
        inside = [prefix for prefix in owners if f"{weight}.".startswith(f"{prefix}.")]
        return owners[max(inside, key=len)] if inside else None

    def prefixes(self, tower: str) -> list[str]:
        """Prefixes of all modules and weights of a tower.

        Raises:
            NotFound: when this family has no such tower.
        """
        return [self.tower(tower), *(prefix for prefix, its in self.apart.items() if its == tower)]

    def carriers(self, tower: str) -> list[str]:
        """Media tensors of which at least one must be in a batch for the tower to have a part in it; none always has.

        The language model has a part in every batch, and has no such tensor.
        """
        kinds = {"language": "", "vision": "video image", "audio": "audio"}.get(
            tower.partition("_")[0], "video image audio"
        )
        return [self.tensors[modality] for modality in kinds.split() if modality in self.modalities]

    def tower(self, name: str) -> str:
        """Return the module prefix of a tower.

        Raises:
            NotFound: when this family has no such tower.
        """
        if name not in self.towers:
            raise NotFound(f"{self.name} has no tower called {name!r}", do=f"choose among {', '.join(self.towers)}")
        return self.towers[name]

    def beside_the_language_model(self) -> list[str]:
        """Return the module prefixes of the media towers and of the head, which are not quantised."""
        return [*(prefix for tower, prefix in self.towers.items() if tower != "language"), "lm_head"]


def _class_called(name: str) -> Any:
    """Return the class ``Name`` of transformers, or the one at ``package.module:Name``."""
    module, _, attribute = name.rpartition(":")
    return getattr(importlib.import_module(module or "transformers"), attribute)


def families() -> dict[str, Family]:
    """Return every family by name. Their files import nothing heavy."""
    return {name: _load(name, path) for name, path in registry.names("families").items()}


def family_of(model_type: str) -> Family | None:
    """Return the family of checkpoints of a ``model_type``; None where there is none.

    Raises:
        Malformed: when none of the others does, and the file of one is broken: that may be the one.
    """
    broken: list[Malformed] = []
    for name, path in registry.names("families").items():
        try:
            family = _load(name, path)
        except Malformed as error:
            broken.append(error)
            continue
        if model_type in family.model_types:
            return family
    if broken:
        raise broken[0]
    return None


def find_family(name: str) -> Family:
    """Return the family called ``name``.

    Raises:
        NotFound: with the names that exist.
        Malformed: when its file cannot be imported or holds no family.
    """
    return _load(name, registry.find("families", name))


@functools.cache
def _load(name: str, path: Path) -> Family:
    module = import_file(path, f"{registry.package('families')}.{name}", "family")
    family, tiny = getattr(module, "FAMILY", None), getattr(module, "tiny", None)
    if not isinstance(family, Family) or tiny is None:
        raise Malformed("a family's file holds FAMILY and tiny()", where=str(path), do="see CONTRIBUTING.md")
    return replace(family, name=name, file=path, tiny=tiny)
