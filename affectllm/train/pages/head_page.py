"""Check what a recipe says of its head, as it is read: settings, backbone, and whether it can answer its mixture."""

from __future__ import annotations

from collections.abc import Sequence

from affectllm.errors import BadRecipe, Malformed
from affectllm.instruct import Template
from affectllm.model.heads.answers import Answers
from affectllm.model.heads.backbones import ENCODERS, SPEECH, TEXT
from affectllm.model.heads.page import OF_KIND, HeadPage, objection
from affectllm.train.method import Method
from affectllm.yaml_page import Page


def check_head(
    head: HeadPage | None, method: Method, backbone: str, templates: Sequence[Template], batch: int, page: Page
) -> None:
    """Make sure that a recipe's method, backbone, mixture and head go together.

    Args:
        templates: of the parts of the mixture, in order.
        batch: rows of a batch on a device.

    Raises:
        BadRecipe: with the line.
    """
    if not method.heads:
        _check_without(head, backbone, page)
        return
    if method.heads == "reward" and backbone in ENCODERS and backbone != TEXT:
        message = f"a reward is given to answers in words, which a {backbone} does not read"
        raise BadRecipe(message, where=page.where(("model", "backbone")), do="choose a family, or text_encoder")
    kind = "reward" if method.heads == "reward" else _answered(templates, page).kind
    if head is not None:
        _check_settings(head, kind, backbone, page)
    if kind == "numbers" and (head or HeadPage()).loss == "ccc" and isinstance(batch, int) and batch < 2:
        message = "the concordance of one row is not defined"
        where = page.where(("trainer", "per_device_train_batch_size"))
        raise BadRecipe(message, where=where, do="set it to 2 or more, best 32 or more; or head.loss: mse")


def _check_without(head: HeadPage | None, backbone: str, page: Page) -> None:
    if head is not None:
        message = "the method trains a model that writes, which has no other head"
        raise BadRecipe(message, where=page.where(("head",)), do="remove it, or choose method: head or reward")
    if backbone in ENCODERS:
        message = f"a {backbone} writes nothing"
        where = page.where(("model", "backbone"))
        raise BadRecipe(message, where=where, do="choose method: head, or a family of language models")


def _answered(templates: Sequence[Template], page: Page) -> Answers:
    """Return what a head of the whole mixture answers; the first part that does not go with it has the blame."""
    questions = [(template.slots, template.language) for template in templates]
    for number in range(1, len(questions) + 1):
        try:
            answers = Answers.to_questions(questions[:number])
        except Malformed as error:
            where = page.where(("data", "mixture", number - 1))
            raise BadRecipe(error.what, where=where, do=error.do) from error
    return answers


def _check_settings(head: HeadPage, kind: str, backbone: str, page: Page) -> None:
    if refused := objection(head):
        key, expected = refused
        raise BadRecipe(f"head.{key} must be {expected}", where=page.where(("head", *key.split("."))))
    if kind == "numbers" and head.teacher is not None and head.teacher.temperature != 1.0:
        message = "numbers of a teacher are compared as they are, and have no temperature"
        raise BadRecipe(message, where=page.where(("head", "teacher", "temperature")), do="remove it")
    others = {key for keys in OF_KIND.values() for key in keys} - set(OF_KIND[kind])
    usual = HeadPage()
    for key in page.value["head"]:
        if key in others and getattr(head, key) != getattr(usual, key):  # a resolved page has all of them
            owners = " or ".join(name for name, keys in OF_KIND.items() if key in keys)
            message = f"head.{key} is for {owners}, and this head gives {kind}"
            own = ", ".join(OF_KIND[kind]) or "none of its own"
            raise BadRecipe(message, where=page.where(("head", key)), do=f"remove it; {kind} have: {own}")
    if head.window is not None and backbone != SPEECH:
        message = f"head.window is for encoders of sounds, and {backbone} is none"
        raise BadRecipe(message, where=page.where(("head", "window")), do="remove it; see model.budget")
    if head.pooling == "first" and backbone not in ENCODERS:
        message = f"the first token of {backbone} has seen no other"
        raise BadRecipe(message, where=page.where(("head", "pooling")), do="choose last or mean")
