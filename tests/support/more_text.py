"""More of the test split of corpora of text, whose miniatures hold too little of it for their tasks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from affectllm.corpus.miniature import Content

_FOUR = ("anger", "fear", "joy", "sadness")
_LANGUAGES = {"En": "English", "Ar": "Arabic", "Es": "Spanish"}
_HEAD = "ID\tTweet\tAffect Dimension\tIntensity {}\n"


def _semeval2018(miniature: Mapping[str, Content]) -> dict[str, Content]:
    """Test files of all subtasks and languages, with two different values where some emotion is asked for."""
    header = str(miniature["E-c/English/2018-E-c-En-train.txt"]).splitlines()[0]
    files: dict[str, Content] = {}
    for code, folder in _LANGUAGES.items():
        rows = [
            f"2018-{code}-6000{n}\tTweet {n}\t" + "\t".join("01"[place % 3 == n] for place in range(11)) for n in (0, 1)
        ]
        files[f"E-c/{folder}/2018-E-c-{code}-test-gold.txt"] = "\n".join([header, *rows])
        for about, kind in [*((one, "EI") for one in _FOUR), ("valence", "V")]:
            name = f"2018-EI-{{}}-{code}-{about}" if kind == "EI" else f"2018-Valence-{{}}-{code}"
            scores = "".join(f"2018-{code}-9000{n}\tTweet {n}\t{about}\t0.{n}\n" for n in (2, 6, 9))
            classes = "".join(f"2018-{code}-8000{n}\tTweet {n}\t{about}\t{n}: so much\n" for n in (0, 1, 3))
            files[f"{kind}-reg/{folder}/{name.format('reg')}-test-gold.txt"] = _HEAD.format("Score") + scores
            files[f"{kind}-oc/{folder}/{name.format('oc')}-test-gold.txt"] = _HEAD.format("Class") + classes
    return {**miniature, **files}


def _emocontext(miniature: Mapping[str, Content]) -> dict[str, Content]:
    rows = "".join(f"{n}\tOne\tTwo\tThree {n}\t{label}\r\n" for n, label in enumerate(("happy", "sad", "others"), 1))
    return {**miniature, "test.txt": f"{miniature['test.txt']}{rows}"}


def _wassa2022(miniature: Mapping[str, Content]) -> dict[str, Content]:
    """Three messages of dev and of test, whose scores vary."""
    header = "message_id\tresponse_id\tarticle_id\tgender\tage\tessay\n"
    files = dict(miniature)
    emotions = enumerate(("joy", "anger", "fear"))
    gold = "".join(f"{n + 1.5}\t{6 - n}.0\t{one}\t5\t4\t3\t6\t5\t3\t2\t4\t3\n" for n, one in emotions)
    for part in ("dev", "test"):
        rows = "".join(f"R_{part}_{n}\tR_{n}\t7\t2\t41\tMessage {n}.\n" for n in range(3))
        files[f"messages_{part}_features_ready_for_WS_2022.tsv"] = header + rows
        files[f"goldstandard_{part}_2022.tsv"] = gold
    return files


def _wassa2023(miniature: Mapping[str, Content]) -> dict[str, Content]:
    """Essays of test with gold, and turns of dev and test, whose scores vary."""
    essays = "conversation_id\tarticle_id\tessay\tspeaker_id\tgender\tage\tessay_id\n"
    essays += "".join(f"4\t7\tEssay {n}.\t33\t2\t40\t{n}\n" for n in range(3))
    turns = "conversation_id\tturn_id\ttext\tspeaker_id\n" + "".join(f"9\t{n}\tTurn {n}.\t40\n" for n in range(3))
    of_turns = "".join(f"{n}\t{n + 1}.5\t{4 - n}\n" for n in range(3))
    return {
        **miniature,
        "WASSA23_essay_level_test.tsv": essays,
        "goldstandard_essay_test.tsv": "4.0\t3.0\tAnger\n2.0\t5.0\tHope/Sadness\n6.0\t1.5\tJoy\n",
        **{f"WASSA23_conv_level_{part}.tsv": turns for part in ("dev", "test")},
        **{f"goldstandard_conv_{part}.tsv": of_turns for part in ("dev", "test")},
    }


def _emobank(miniature: Mapping[str, Content]) -> dict[str, Content]:
    rows = [("SemEval_10", "4.5,2.0,3.5"), ("SemEval_11", "2,3,4"), ("SemEval_12", "3,4,2")]
    sentences = "".join(f"{key},test,{scores},Sun shines {key}\n" for key, scores in rows)
    means = "".join(f"{key},{scores},0.1,0.2,0.3,5\n" for key, scores in rows)
    more = {"corpus/emobank.csv": sentences, "corpus/reader.csv": means, "corpus/writer.csv": means}
    return {**miniature, **{name: f"{miniature[name]}{text}" for name, text in more.items()}}


def _wrime(miniature: Mapping[str, Content]) -> dict[str, Content]:
    """Three test posts, about which writers and readers say all numbers."""
    row = "\t".join(["投稿{0}", "3", "2013/02/03 04:05", "test", *["{0}"] * 40])
    rows = "".join(row.format(n) + "\n" for n in range(3))
    return {**miniature, "wrime-ver1.tsv": f"{miniature['wrime-ver1.tsv']}{rows}"}


def _renh4k(miniature: Mapping[str, Content]) -> dict[str, Content]:
    votes = ("0.5,0.1,0,0.4,0", "0,0,1,0,0", "0,0.2,0.2,0,0.6")
    rows = "".join(f"{n},Headline {n},{votes[n % 3]}\n" for n in range(10, 50))
    return {**miniature, "RENh-4k/RENh-4k.csv": f"{miniature['RENh-4k/RENh-4k.csv']}{rows}"}


def _envent(miniature: Mapping[str, Content]) -> dict[str, Content]:
    """A second text that readers judged."""
    name, judged = "corpus/crowd-enVent_generation.tsv", "corpus/crowd-enVent_validation.tsv"
    text, guess = str(miniature[name]).splitlines(), str(miniature[judged]).splitlines()
    told = text[1].replace("\tjoy\t1\t", "\tanger\t2\t")
    guesses = [line.replace("\t1\tr", "\t2\tr").replace("\tjoy\t2", "\tanger\t2") for line in guess[1:3]]
    return {**miniature, name: "\n".join([*text[:2], told]), judged: "\n".join([*guess[:3], *guesses])}


def _emobench(miniature: Mapping[str, Content]) -> dict[str, Content]:
    """Both parts in both languages."""
    files = {}
    for name in ("data/EA.jsonl", "data/EU.jsonl"):
        record = json.loads(str(miniature[name]).splitlines()[0])
        rows = [{**record, "language": language, "qid": str(n)} for language in ("en", "zh") for n in (1, 2)]
        files[name] = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return {**miniature, **files}


def _brighter(miniature: Mapping[str, Content]) -> dict[str, Content]:
    """Two or three test texts of each track and language."""
    from affectllm.data_builders.text.brighter import TRACKS

    base = "task-dataset/semeval-2025-task11-dataset/track_"
    files: dict[str, Content] = {}
    for track, codes in TRACKS.items():
        for code in codes:
            names = [name for name in _EKMAN if (code, name) not in (("eng", "disgust"), ("afr", "surprise"))]
            most = 4 if track == "b" else 2
            rows = [
                [f"{code}_{track}_{n}", f"Text {n}", *(str((n + place) % most) for place in range(len(names)))]
                for n in range(most)
            ]
            lines = [",".join(row) for row in (["id", "text", *names], *rows)]
            files[f"{base}{track}/test/{code}.csv"] = "\n".join(lines) + "\n"
    return {**miniature, **files}


_EKMAN = ("anger", "disgust", "fear", "joy", "sadness", "surprise")


def _tombench(miniature: Mapping[str, Content]) -> dict[str, Content]:
    """Questions with four options only: the letter that is right most often is one of each."""
    right = str(miniature["data/Hidden Emotions.jsonl"]).splitlines()[0]
    return {**miniature, "data/Unexpected Outcome Test.jsonl": right}


def _xed(miniature: Mapping[str, Content]) -> dict[str, Content]:
    """Lines in every language, enough for some in test."""
    from affectllm.data_builders.text.xed import ANNOTATED, PROJECTED

    annotated = "".join(f"Line {n}\t{n % 8 + 1}, {(n + 3) % 8 + 1}\n" for n in range(30))
    projected = "".join(f"Line {n}\t{{'{n % 8 + 1}'}}\n" for n in range(30))
    files: dict[str, Content] = {f"AnnotatedData/{code}-annotated.tsv": annotated for code in ANNOTATED}
    return {**miniature, **files, **{f"Projections/{code}-projections.tsv": projected for code in PROJECTED}}


def _isear(miniature: Mapping[str, Content]) -> dict[str, Content]:
    """Respondents enough for some in test."""
    content = miniature["isear.csv"]
    assert isinstance(content, bytes)
    names = ("joy", "fear", "anger")
    row = "{0}|1|2|21|3|{1}|{2}|6|7|{0}{1}|It happened {0}.|1|\n"
    rows = (row.format(n, n % 3 + 1, names[n % 3]) for n in range(100, 140))
    return {**miniature, "isear.csv": content + "".join(rows).encode()}


MORE: dict[str, Callable[[Mapping[str, Content]], dict[str, Content]]] = {
    "brighter": _brighter,
    "emobank": _emobank,
    "emobench": _emobench,
    "emocontext": _emocontext,
    "envent": _envent,
    "isear": _isear,
    "renh4k": _renh4k,
    "semeval2018_task1": _semeval2018,
    "tombench_emotion": _tombench,
    "wassa2022": _wassa2022,
    "wassa2023": _wassa2023,
    "wrime": _wrime,
    "xed": _xed,
}
"""Corpus → its miniature → with more files and rows."""
