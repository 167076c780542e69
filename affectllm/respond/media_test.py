"""The media self-test of a server: when a clip is removed or swapped, what comes back must change.

A server may drop what it does not take, in silence: a model of pictures answers about a sound that it was never given,
and the score is that of a guess. Some drop the sound of a video only. So a few questions are asked as they are, twice,
without each modality, and with another question's clip. An open question is asked, since a label may stay the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.errors import ModalityUnheard
from affectllm.instruct.conversation import Messages, media_parts
from affectllm.model.ablation import has_modality, without
from affectllm.respond.completion import Completion
from affectllm.respond.endpoint import Endpoint
from affectllm.respond.responder import Ask

ITEMS = 4
_WORDS = 32  # tokens of each trial's reply
_MODALITIES = ("video", "audio", "image")
_PROBE = {"type": "text", "text": "Describe in detail what can be seen and heard."}
_SMALLEST_CHANGE = 1e-3  # of a log-probability; servers that batch differ in the last digits


@dataclass(frozen=True)
class Trial:
    """What came back for one item: as it is, asked again, without a modality, and with another item's clip."""

    whole: Completion
    again: Completion
    removed: Completion
    swapped: Completion | None


def requests_needed(conversations: Sequence[Messages]) -> int:
    """Return how many requests the self-test of these conversations sends."""
    return sum(1 for _ in _variants(conversations))


def check_modalities_heard(
    endpoint: Endpoint, conversations: Sequence[Messages], roots: Mapping[str, Path]
) -> list[str]:
    """Ask a few conversations with and without their clips.

    A modality counts as heard when the server counts other tokens without it, or a steady reply changes; and when a
    steady reply changes with another clip. A reply is steady when the same question, asked twice, gives it twice.

    Args:
        conversations: two to four conversations of the same modalities.

    Returns:
        The modalities about which nothing could be said, because no reply was steady.

    Raises:
        ModalityUnheard: names the modality, the profile and what to try.
    """
    variants = list(_variants(conversations))
    with ThreadPoolExecutor(endpoint.concurrency) as pool:
        answers = dict(zip((key for key, _ in variants), pool.map(_asker(endpoint, roots), variants), strict=True))
    unsure = []
    for modality in _MODALITIES:
        trials = [trial for number in range(len(conversations)) if (trial := _trial(answers, number, modality))]
        if trials and not _removal_shows(trials):
            raise _unheard(endpoint, modality, "removing it changes neither the reply nor the number of tokens")
        swaps = [trial for trial in trials if trial.swapped is not None]
        steady = [trial for trial in swaps if not _differ(trial.whole, trial.again)]
        if steady and not any(_differ(trial.whole, trial.swapped) for trial in steady):
            raise _unheard(endpoint, modality, "with another clip in its place every reply stays the same")
        unsure += [modality] if swaps and not steady else []
    return unsure


def _unheard(endpoint: Endpoint, modality: str, how: str) -> ModalityUnheard:
    profile = endpoint.traits
    return ModalityUnheard(
        f"{modality} does not reach the model through the profile {profile.name}: {how}",
        where=endpoint.where,
        do="check that this model takes it and that the server was started with it; try another profile, or show only "
        "other --modalities; selftest=false asks all the same",
    )


Key = tuple[int, str, str]


def _variants(conversations: Sequence[Messages]) -> Iterator[tuple[Key, Messages]]:
    """Yield what is asked: (item, what was changed, modality) → messages."""
    probes = [[_probe(message) for message in messages] for messages in conversations]
    for number, probe in enumerate(probes):
        yield (number, "whole", ""), probe
        yield (number, "again", ""), probe
        for modality in _MODALITIES:
            if has_modality(probe, modality):
                yield (number, "removed", modality), without(probe, modality)
                if (donor := _donor(probes, number, modality)) is not None:
                    yield (number, "swapped", modality), _swapped(probe, donor, modality)


def _probe(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message with its clips and an open question in place of its words."""
    media = media_parts([message])
    return {**message, "content": [*media, _PROBE]} if media else dict(message)


def _donor(probes: Sequence[Messages], number: int, modality: str) -> Mapping[str, Any] | None:
    """Return the first clip of the modality in another item that is not one of this item's own."""
    own = [_clip(part) for part in media_parts(probes[number])]
    others = [part for probe in (*probes[number + 1 :], *probes[:number]) for part in media_parts(probe)]
    return next((part for part in others if _carries(part, modality) and _clip(part) not in own), None)


def _clip(part: Mapping[str, Any]) -> tuple[Any, ...]:
    return part["corpus"], part["path"], part.get("start"), part.get("end")


def _carries(part: Mapping[str, Any], modality: str) -> bool:
    return part["type"] == modality or (modality == "audio" and bool(part.get("sound")))


def _swapped(messages: Messages, donor: Mapping[str, Any], modality: str) -> list[dict[str, Any]]:
    def exchange(part: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        if part["type"] == "text" or not _carries(part, modality):
            return [part]
        sound = {name: value for name, value in donor.items() if name != "sound"} | {"type": "audio"}
        if modality == "audio":
            silent = (
                [{name: value for name, value in part.items() if name != "sound"}] if part["type"] == "video" else []
            )
            return [*silent, sound]
        own = [{**{k: v for k, v in part.items() if k != "sound"}, "type": "audio"}] if part.get("sound") else []
        return [{name: value for name, value in donor.items() if name != "sound"}, *own]

    return [
        {**message, "content": [new for part in message["content"] for new in exchange(part)]}
        if not isinstance(message["content"], str)
        else dict(message)
        for message in messages
    ]


def _asker(endpoint: Endpoint, roots: Mapping[str, Path]) -> Any:
    logprobs = endpoint.traits.logprobs > 0
    # A line about frames would go with them, and change the reply of a server that never saw one.
    return lambda variant: endpoint.ask(Ask(variant[1], _WORDS), roots, logprobs=logprobs, noted=False)


def _trial(answers: Mapping[Key, Completion], number: int, modality: str) -> Trial | None:
    """Return the trial of one item; None where it lacks the modality, or its clip cannot be used."""
    whole, removed = answers[number, "whole", ""], answers.get((number, "removed", modality))
    if removed is None or not whole.sent:
        return None
    swapped = answers.get((number, "swapped", modality))
    # Two clips may hold the same sound; a server cannot tell them apart.
    usable = swapped is not None and bool(swapped.sent) and swapped.sent != whole.sent
    return Trial(whole, answers[number, "again", ""], removed, swapped if usable else None)


def _removal_shows(trials: Sequence[Trial]) -> bool:
    counted = any(t.whole.used and t.removed.used and t.whole.used.prompt != t.removed.used.prompt for t in trials)
    return counted or any(not _differ(t.whole, t.again) and _differ(t.whole, t.removed) for t in trials)


def _differ(one: Completion, other: Completion | None) -> bool:
    if other is None or one.reply != other.reply:
        return True
    if one.first is None or other.first is None:
        return False
    return any(abs(value - other.first.get(token, value)) > _SMALLEST_CHANGE for token, value in one.first.items())
