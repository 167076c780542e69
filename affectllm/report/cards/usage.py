"""The lines with which transformers alone uses a published model, and a question for them and for the Hub's widget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from affectllm.corpus import TEST, MediaRef, Sample
from affectllm.errors import AffectError
from affectllm.instruct.conversation import Conversation, text_of
from affectllm.instruct.mixture_part import Part
from affectllm.labels.form import Refused
from affectllm.model.family import Family, families, family_of
from affectllm.model.weights.checkpoint import CONFIG, read_object
from affectllm.report.trained import Trained

_WORDS = "I lost my keys again, and nobody waited for me."  # ours, as those of corpora are not always to be passed on
_QUESTION = "Which emotion does this person express?"
_CLIPS = {
    "audio": '{"type": "audio", "path": "clip.wav"}',
    "image": '{"type": "image", "image": Image.open("clip.png")}',
    "video": '{"type": "video", "path": "clip.mp4"}',
}
_NAMES = {"audio": "clip.wav", "image": "clip.png", "video": "clip.mp4"}
_PROMPT = 'add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"'


def transformers_code(repo_id: str, trained: Trained) -> str | None:
    """Return Python that loads a model from the Hub and asks it one question, in at most ten lines.

    None where transformers alone cannot: heads, composites of ours, and adapters whose base is no repository.
    """
    family = family_trained(trained)
    if trained.head or family is None or family.module != "transformers":
        return None
    medium = shown_medium(trained)
    content = f'{{"type": "text", "text": {question_asked(trained)!r}}}'
    loader = "AutoProcessor" if set(family.modalities) - {"text"} else "AutoTokenizer"
    said = f"[{_CLIPS[medium]}, {content}]" if medium else f"[{content}]"
    lines = [
        f"from transformers import {', '.join(sorted((loader, family.class_name)))}",
        "",
        f'processor = {loader}.from_pretrained("{repo_id}")',
        f'model = {family.class_name}.from_pretrained("{repo_id}", dtype="auto")',
        f'messages = [{{"role": "user", "content": {said}}}]',
        f"inputs = processor.apply_chat_template(messages, {_PROMPT})",
        'reply = model.generate(**inputs, max_new_tokens=64)[0, inputs["input_ids"].shape[1] :]',
        "print(processor.decode(reply, skip_special_tokens=True))",
    ]
    return "\n".join(["from PIL import Image", *lines] if medium == "image" else lines)


def family_trained(trained: Trained) -> Family | None:
    """Return the family of a trained model, by its recipe or its configuration; None for one that is not known."""
    model = trained.page.get("model")
    named = model.get("backbone") if isinstance(model, Mapping) else None
    if named is None and (trained.weights / CONFIG).is_file():
        return family_of(str(read_object(trained.weights / CONFIG).get("model_type")))
    return families().get(str(named)) or families().get(trained.base.removeprefix("tiny:"))


def shown_medium(trained: Trained) -> str:
    """Return the kind of clip that the code shows: sound or a picture where the model was trained on such."""
    return next((kind for kind in ("audio", "image", "video") if kind in trained.modalities), "")


def question_asked(trained: Trained) -> str:
    """Return the question of the first part of the mixture that was trained on, about words of our own."""
    try:
        part = _first_part(trained.page)
        template = part.bind() if part else None
    except (AffectError, TypeError):  # a page of another version, or a corpus that is not here
        template = None
    if template is None:
        return _QUESTION
    modalities = [name for name in template.modalities if name != "text"]
    media = tuple(MediaRef(_NAMES[kind], kind) for kind in modalities if kind in _NAMES)  # type: ignore[arg-type]
    words = _WORDS if "text" in template.modalities else None
    asked = Conversation.unlabelled(Sample("card", "card", TEST, (), "card", text=words, media=media), template)
    return _QUESTION if isinstance(asked, Refused) else text_of([asked.asked[-1]])


def _first_part(page: Mapping[str, Any]) -> Part | None:
    data = page.get("data")
    mixture = data.get("mixture") if isinstance(data, Mapping) else None
    if not isinstance(mixture, list) or not mixture:
        return None
    fields = {key: mixture[0][key] for key in ("corpus", "template", "space", "rater", "language") if key in mixture[0]}
    return Part(**fields, modalities=tuple(mixture[0]["modalities"]))


def widget(trained: Trained) -> list[dict[str, Any]] | None:
    """Return the example of the Hub's widget: a question in words; None for models of clips, of which we have none."""
    if trained.head or set(trained.modalities) - {"text"}:
        return None
    return [{"messages": [{"role": "user", "content": question_asked(trained)}]}]
