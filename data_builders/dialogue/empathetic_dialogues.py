"""EmpatheticDialogues: 25,000 conversations in which one person tells of a feeling and another replies.

A *speaker* was given one of 32 emotion words, described a situation (the prompt) and talked about it with a
*listener*, who did not see the word. The csv files are separated by commas **without quoting**: a comma in the text is
``_comma_``, a quote sign is a quote sign, and validation and test may carry a ninth field with candidate replies.
Utterances alternate, beginning with the speaker.

A sample is a moment at which the listener replies: ``text`` is the utterance to reply to, ``context`` what was said
before it, the prompt an attribute (the listener never saw it). It is annotated twice: with the speaker's emotion, and
with the reply that the listener gave.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample, Turn
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import first_sight, folder_of, is_lfs_pointer, missing_file, read_delimited
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

FILES = {"train.csv": TRAIN, "valid.csv": VALIDATION, "test.csv": TEST}
EMOTIONS = (
    *("afraid", "angry", "annoyed", "anticipating", "anxious", "apprehensive", "ashamed", "caring", "confident"),
    *("content", "devastated", "disappointed", "disgusted", "embarrassed", "excited", "faithful", "furious"),
    *(
        "grateful",
        "guilty",
        "hopeful",
        "impressed",
        "jealous",
        "joyful",
        "lonely",
        "nostalgic",
        "prepared",
        "proud",
        "sad",
    ),
    *("sentimental", "surprised", "terrified", "trusting"),
)
_SOURCE = "Rashkin et al., Towards Empathetic Open-domain Conversation Models, ACL 2019"
SPACE = LabelSpace("empathetic_dialogues_32", "category", EMOTIONS, source=_SOURCE, aliases=aliases(*EMOTIONS))
REPLY = LabelSpace("empathetic_reply", "open", (), source=_SOURCE)
CARD = CorpusCard(
    name="empathetic_dialogues",
    title="EmpatheticDialogues",
    citation="Rashkin, Smith, Li, Boureau: Towards Empathetic Open-domain Conversation Models: a New Benchmark and "
    "Dataset. ACL 2019",
    url="https://github.com/facebookresearch/EmpatheticDialogues",
    obtain="https://dl.fbaipublicfiles.com/parlai/empatheticdialogues/empatheticdialogues.tar.gz ; unpacked it holds "
    "train.csv, valid.csv and test.csv",
    licence="CC-BY-NC-4.0",
    access="open",
    redistribution=True,
    commercial=False,
    languages=("en",),
    modalities=("text",),
    spaces=(SPACE, REPLY),
    raters={
        "speaker": "the emotion word that the speaker was given and told a situation of",
        "listener": "the reply that the listener gave",
    },
    counts={TRAIN: 40254, VALIDATION: 5738, TEST: 5259},
    split_policy="official: train, valid and test csv, by the person who described the situation",
    notes=(
        "Counts are listener turns; a few conversations have none and are rejected as no_reply.",
        "At least four rows of train have shifted columns; they are rejected as broken_row or unknown_label.",
        "The attribute last_reply is true once a dialogue, so that it can be asked about as a whole.",
        "speaker_idx is an attribute, not the speaker: copies of the corpus number the speakers anew.",
        "ParlAI documents CC BY 4.0, the repository CC BY-NC 4.0; the stricter one is taken.",
    ),
)
_HEADER = "conv_id,utterance_idx,context,prompt,speaker_idx,utterance,selfeval,tags\n"
MINIATURE: Mapping[str, Content] = {
    "empatheticdialogues/train.csv": _HEADER
    + "hit:0_conv:1,1,sentimental,I saw my friend_comma_ once.,1,I remember the fireworks.,5|5|5_2|2|5,\n"
    + 'hit:0_conv:1,2,sentimental,I saw my friend_comma_ once.,0,Was this a "friend"_comma_ or more?,5|5|5_2|2|5,\n'
    + "hit:0_conv:1,3,sentimental,I saw my friend_comma_ once.,1,A best friend.,5|5|5_2|2|5,\n"
    + "hit:0_conv:1,4,sentimental,I saw my friend_comma_ once.,0,Where has she gone?,5|5|5_2|2|5,\n"
    + "hit:1_conv:2,1,afraid\n"
    + "hit:1_conv:3,1,Oh no,afraid,2,It is dark.,5|5|5_5|5|5,\n"
    + "hit:1_conv:3,2,Oh no,afraid,3,Turn the light on.,5|5|5_5|5|5,\n",
    "empatheticdialogues/valid.csv": _HEADER
    + "hit:3_conv:6,1,proud,I won.,4,I won a race.,5|5|5_5|5|5,\n"
    + "hit:3_conv:6,2,proud,I won.,5,Well done!,5|5|5_5|5|5,,a|b_pipe_c\n"
    + "hit:3_conv:7,1,sad,I lost.,4,I lost a race.,5|5|5_5|5|5,\n",
    "empatheticdialogues/test.csv": _HEADER
    + "hit:4_conv:8,1,guilty,I ate it.,6,I ate the cake.,5|5|5_5|5|5,\n"
    + "hit:4_conv:8,2,guilty,I ate it.,7,All of it?,5|5|5_5|5|5,\n",
}


@dataclass(frozen=True, slots=True)
class _Utterance:
    where: str
    conversation: str
    number: int
    emotion: str
    prompt: str
    person: str
    text: str
    ratings: str


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per reply of a listener, in the order of the csv files."""
    base = folder_of(root, CARD, lambda folder: any(_is_ours(folder / name) for name in FILES), ", ".join(FILES))
    for name, split in FILES.items():
        if not (base / name).is_file():
            yield missing_file(name, CARD)
            continue
        seen: set[str] = set()
        for item in _conversations(_utterances(base / name, root)):
            if isinstance(item, Rejection):
                yield item
            elif again := first_sight(seen, item[0].conversation, item[0].where):
                yield again
            else:
                yield from _replies(split, item)


def _is_ours(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return b"conv_id,utterance_idx" in stream.readline(200) or is_lfs_pointer(path)


def _utterances(path: Path, root: Path) -> Iterator[_Utterance | Rejection]:
    for line in read_delimited(path, root, ",", width=6):
        if isinstance(line, Rejection):
            yield line
            continue
        where, fields = line
        cells = [field.replace("_comma_", ",").strip() for field in fields]
        if cells[0] == "conv_id":
            continue
        if not (cells[0] and cells[1].isdecimal() and cells[5]):
            yield Rejection(where, "broken_row", where, line[1][0][:120])
            continue
        ratings = cells[6] if len(cells) > 6 else ""
        yield _Utterance(where, cells[0], int(cells[1]), cells[2], cells[3], cells[4], cells[5], ratings)


def _conversations(rows: Iterator[_Utterance | Rejection]) -> Iterator[list[_Utterance] | Rejection]:
    """Group utterances into conversations; a rejected row does not split its conversation."""
    turns: list[_Utterance] = []
    for row in rows:
        if isinstance(row, Rejection):
            yield row
        elif any(turn.number == row.number and turn.conversation == row.conversation for turn in turns):
            yield Rejection(f"{row.conversation}/{row.number}", "duplicate_id", row.where)
        else:
            if turns and turns[0].conversation != row.conversation:
                yield turns
                turns = []
            turns.append(row)
    if turns:
        yield turns


def _replies(split: str, turns: list[_Utterance]) -> Iterator[Sample | Rejection]:
    turns = sorted(turns, key=lambda turn: turn.number)
    emotion = SPACE.resolve(turns[0].emotion)
    if emotion is None:
        yield Rejection(turns[0].conversation, "unknown_label", turns[0].where, turns[0].emotion[:80])
        return
    dialogue = [Turn("listener" if turn.number % 2 == 0 else "speaker", turn.text) for turn in turns]
    replies = [place for place in range(len(turns)) if dialogue[place].speaker == "listener"]
    if not replies:
        yield Rejection(turns[0].conversation, "no_reply", turns[0].where, "the listener says nothing")
    answered = [place for place in replies if place and turns[place - 1].number == turns[place].number - 1]
    for place in replies:
        if place in answered:
            yield _sample(split, turns, dialogue, place, emotion, last=place == answered[-1])
        else:
            name = f"{turns[place].conversation}/{turns[place].number}"
            yield Rejection(name, "turn_missing", turns[place].where, "the utterance replied to is not there")


def _sample(
    split: str, turns: list[_Utterance], dialogue: list[Turn], place: int, emotion: str, *, last: bool
) -> Sample:
    reply, heard = turns[place], turns[place - 1]
    people = {"speaker_idx": heard.person, "listener_idx": reply.person}
    facts = {"prompt": reply.prompt, **people, "ratings": reply.ratings}
    facts["last_reply"] = str(last).lower()
    return Sample(
        id=f"{split}/{reply.conversation}/{reply.number}",
        corpus=CARD.name,
        split=split,
        annotations=(Annotation(SPACE.name, "speaker", emotion), Annotation(REPLY.name, "listener", reply.text)),
        source=reply.where,
        text=heard.text,
        language="en",
        dialogue=f"{split}/{reply.conversation}",
        context=tuple(dialogue[: place - 1]),
        attributes={key: value for key, value in facts.items() if value},
    )
