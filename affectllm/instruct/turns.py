"""Format the words of a sample for a prompt: the dialogue so far and what is asked about, one line each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from affectllm.corpus import Sample

# Turns are told apart by letters, since names and file numbers may give the answer away; these say nothing.
_ROLES = frozenset({"speaker", "listener", "seeker", "supporter"})


def lines(sample: Sample, letter: str, *, numbered: bool) -> list[str]:
    """Return the utterances in order, formatted; the last line is what is asked about.

    Args:
        letter: how a speaker is called, with the placeholder ``{letter}``.
        numbered: whether the lines are counted, from the first of the dialogue on. What stands alone is given plain
            otherwise.
    """
    if not sample.context and not numbered:
        return [str(sample.text)]
    # Corpora in which nobody is known beyond a dialogue tell who speaks as an attribute.
    last = sample.speaker or sample.attributes.get("speaker")
    utterances = [*((turn.speaker, turn.text) for turn in sample.context), (last, str(sample.text))]
    names = _names((speaker for speaker, _ in utterances), letter)
    formatted = [f"{names[speaker]}: {text}" if speaker else text for speaker, text in utterances]
    return (
        [f"{number}. {line}" for number, line in enumerate(formatted, 1 + sample.turns_left_out)]
        if numbered
        else formatted
    )


def _names(speakers: Iterable[str | None], letter: str) -> Mapping[str, str]:
    """Return speaker → ``Speaker A`` and so on, in the order in which they speak."""
    several = dict.fromkeys(speaker for speaker in speakers if speaker)
    return {
        speaker: speaker if speaker in _ROLES else letter.format(letter=_letter(number))
        for number, speaker in enumerate(several)
    }


def _letter(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else str(number + 1)
