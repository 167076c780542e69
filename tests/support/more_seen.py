"""More of the test split of corpora that are seen, whose miniatures hold too little of it for their tasks."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

from affectllm.corpus.miniature import Clip, Content, Picture, Tone

Miniature = Mapping[str, Content]
_IEMOCAP = "Session5/dialog/{}/Ses05F_impro01.{}"
_WORDS = "transcription-engchi-polish.csv"


def _with(miniature: Miniature, more: Mapping[str, str], **files: Content) -> dict[str, Content]:
    """Append rows to tables, and add files."""
    return {**miniature, **{name: f"{miniature.get(name, '')}{rows}" for name, rows in more.items()}, **files}


def _ch_sims(miniature: Miniature) -> dict[str, Content]:
    rows = "v_9,0001,真好,0.6,0,0,0,Positive,test\r\nv_9,0002,算了,-0.6,0,0,0,Negative,test\r\n"
    clips = {f"SIMS/Raw/v_9/000{n}.mp4": Clip() for n in (1, 2)}
    return _with(miniature, {"SIMS/label.csv": rows}, **clips)


def _ch_sims_v2(miniature: Miniature) -> dict[str, Content]:
    table = "ch-simsv2s/meta.csv"
    files: dict[str, Content] = {"ch-simsv2s/Raw/movie_9/0001.mp4": Clip()}
    return _with(miniature, {table: "movie_9,0001,真好,0.6,0.6,0.6,0.6,Positive,test\n"}, **files)


def _cmu(films: str) -> Callable[[Miniature], dict[str, Content]]:
    def more(miniature: Miniature) -> dict[str, Content]:
        rows = "nNnNnNnNnNn,1,How nice,1.0,,,,Positive,test\nnNnNnNnNnNn,2,How sad,-1.0,,,,Negative,test\n"
        return _with(miniature, {"label.csv": rows}, **{films.format("nNnNnNnNnNn", n): Clip() for n in (1, 2)})

    return more


def _iemocap(miniature: Miniature) -> dict[str, Content]:
    turns = [("M000", "hap", "4.0", "Happiness", "Good."), ("F000", "ang", "2.0", "Anger", "Stop it.")]
    rated = "".join(
        f"[{n}.1000 - {n}.9000]\tSes05F_impro01_{turn}\t{code}\t[{v}, 3.0, 3.0]\nC-E1:\t{word};\t()\n\n"
        for n, (turn, code, v, word, _) in enumerate(turns)
    )
    said = "".join(
        f"Ses05F_impro01_{turn} [00{n}.1000-00{n}.9000]: {words}\n" for n, (turn, *_, words) in enumerate(turns)
    )
    return {
        **miniature,
        _IEMOCAP.format("EmoEvaluation", "txt"): f"% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n{rated}",
        _IEMOCAP.format("transcriptions", "txt"): said,
        _IEMOCAP.format("avi/DivX", "avi"): Clip(seconds=2.0),
    }


def _meld(miniature: Miniature) -> dict[str, Content]:
    row = '2,Ha!,Rachel,joy,positive,0,1,1,4,"00:00:02,000","00:00:02,400"\n'
    files: dict[str, Content] = {"output_repeated_splits_test/dia0_utt1.mp4": Clip()}
    return _with(miniature, {"test_sent_emo.csv": row}, **files)


def _mer2024(miniature: Miniature) -> dict[str, Content]:
    more = {
        "mer2024-dataset/reference-semi.csv": "samplenew3_00000011,happy\n",
        f"mer2024-dataset/{_WORDS}": "samplenew3_00000010,走了,Gone.\nsamplenew3_00000011,好,Good.\n",
    }
    return _with(miniature, more, **{f"mer2024-dataset/video/samplenew3_0000001{n}.mp4": Clip() for n in (0, 1)})


def _ov_merd(miniature: Miniature) -> dict[str, Content]:
    """Clips of the labels that belong to no track of training, which are the test."""
    name = "sample_00000060"
    return {
        **miniature,
        **{f"video/{name}.mp4": Clip(), f"audio/{name}.wav": Tone()},
        "ovlabel.csv": f'name,openset\n{name},"[moved, grateful]"\n',
        _WORDS: f"name,chinese,english\n{name},谢谢,Thank you.\n",
    }


def _emer(miniature: Miniature) -> dict[str, Content]:
    return _with(miniature, {}, **{"EMER/video/sample_00000063.avi": Clip()})


def _dfew(miniature: Miniature) -> dict[str, Content]:
    lists = {f"EmoLabel_DataSplit/test(single-labeled)/set_{n}.csv": f"video_name,label\n2{n},{n}\n" for n in (3, 4, 5)}
    train = "".join(f"2{n},{n}\n" for n in (3, 4, 5))
    clips = {f"Clip/original/2{n}.mp4": Clip() for n in (3, 4, 5)}
    return _with(miniature, {"EmoLabel_DataSplit/train(single-labeled)/set_1.csv": train}, **lists, **clips)


def _mafw(miniature: Miniature) -> dict[str, Content]:
    """A clip in every fold of the single and of the compound set."""
    places = {kind: f"Train & Test Set/{kind}/no_caption/set_{{}}/{{}}.txt" for kind in ("single", "compound")}
    labels = {"single": "fear", "compound": "anger_fear"}
    rows: dict[str, str] = {}
    for kind, place in places.items():
        for fold in range(1, 6):
            line = f"009{fold}{int(kind == 'single')}.mp4 {labels[kind]}\n"
            rows[place.format(fold, "test")] = line
            if fold > 1:
                train = place.format(1, "train")
                rows[train] = rows.get(train, "") + line
    clips = {f"data/clips/009{fold}{kind}.mp4": Clip() for fold in range(1, 6) for kind in (0, 1)}
    return _with(miniature, rows, **clips)


def _omg(miniature: Miniature) -> dict[str, Content]:
    """Three listeners of a test story of ten seconds, who felt differently."""
    files: dict[str, Content] = {}
    for subject, level in ((4, -0.5), (5, 0.1), (6, 0.8)):
        files[f"Test/Annotations/Subject_{subject}_Story_3.csv"] = "\n".join(
            ["valence", *[f"{level}"] * 125, *[f"{level / 2}"] * 125]
        )
        files[f"Test/Videos/Subject_{subject}_Story_3.mp4"] = Clip()
    return {**miniature, **files}


def _responses(table: str, row: str, pictures: str) -> Callable[[Miniature], dict[str, Content]]:
    """Answers to so many pictures that some are in the test split, all of them with a file."""

    def more(miniature: Miniature) -> dict[str, Content]:
        rows = "".join(row.format(n) for n in range(20))
        return _with(miniature, {table: rows}, **{pictures.format(n): Picture() for n in range(20)})

    return more


def _ferplus(miniature: Miniature) -> dict[str, Content]:
    rows = "PrivateTest,fer0000017.png,0,9,1,0,0,0,0,0,0,0\nPrivateTest,fer0000018.png,0,0,0,8,2,0,0,0,0,0\n"
    images = {f"data/FER2013Test/fer00000{n}.png": Picture(480, 480) for n in (17, 18)}
    return _with(miniature, {"fer2013new.csv": rows}, **images)


def _emotic_person(names: list[str], valence: int) -> dict[str, Any]:
    import numpy as np

    axes = {"valence": valence, "arousal": valence + 1, "dominance": 11 - valence}
    return {
        "body_bbox": np.array([2, 2, 40, 60]),
        "annotations_categories": {"categories": np.array(names, object)},
        "annotations_continuous": axes,
    }


def _emotic_matrix() -> bytes:
    """Three pictures of one person each, all of them test."""
    import numpy as np
    from scipy.io import savemat

    people = {"c.jpg": (["Pain"], 2), "d.jpg": (["Peace", "Esteem"], 8), "e.jpg": (["Fear"], 5)}
    size = {"n_col": 64, "n_row": 64}
    pictures = [
        {"filename": name, "folder": "mscoco/images", "image_size": size, "person": _emotic_person(*person)}
        for name, person in people.items()
    ]
    stream = io.BytesIO()
    savemat(stream, {"test": np.array(pictures, object), "train": [], "val": []})
    return stream.getvalue()


def _emotic(miniature: Miniature) -> dict[str, Content]:
    pictures = {f"emotic/mscoco/images/{name}.jpg": Picture() for name in "cde"}
    return {**miniature, "Annotations/Annotations.mat": _emotic_matrix, **pictures}


def _bold(miniature: Miniature) -> dict[str, Content]:
    """Three clips of one person, and one of two."""
    name = "002/bbbbbbbbbbb.mp4/000{}.mp4"
    rows = ""
    for clip, person, level in ((2, 0, 3), (3, 0, 5), (4, 0, 8), (5, 0, 5), (5, 1, 6)):
        shares = ",".join(str(float(place == level)) for place in range(26))
        rows += f"{name.format(clip)},{person},0,120,{shares},{level},{level + 1},{11 - level},Female,Adult,Asian,0.9\n"
    return _with(miniature, {"annotations/val.csv": rows}, **{f"videos/{name.format(n)}": Clip() for n in range(2, 6)})


def _liris(miniature: Miniature) -> dict[str, Content]:
    rows = "".join(f"{n}\tACCEDE0000{n}.mp4\t{n}\t{n}\t{n / 4}\t{5 - n / 4}\t0.1\t0.1\n" for n in (7, 8, 9))
    sets = "".join(f"{n}\tACCEDE0000{n}.mp4\t0\n" for n in (7, 8, 9))
    film = "continuous/testset/{}MEDIAEVAL18_55{}"
    trace = "".join(f"{second}\t0.{second // 10}\t-0.{second // 10}\n" for second in range(30))
    places = {"annotations/ACCEDEranking.txt": rows, "annotations/ACCEDEsets.txt": sets}
    files: dict[str, Content] = {
        film.format("annotations/", "_Valence-Arousal.txt"): f"Time\tValence\tArousal\n{trace}",
        film.format("", ".mp4"): Clip(),
    }
    # The film of the miniature is too short to be correlated.
    gone = {name for name in miniature if "MEDIAEVAL18_54" in name}
    kept = {name: content for name, content in miniature.items() if name not in gone}
    return _with(kept, places, **files, **{f"data/ACCEDE0000{n}.mp4": Clip() for n in (7, 8, 9)})


def _cognimuse(miniature: Miniature) -> dict[str, Content]:
    levels = [level for level in (0.1, 0.4, -0.3) for _ in range(250)]
    trace = "".join(f"{level} {-level}\n" for level in levels)
    return {**miniature, "FNE/Intended_1.txt": trace, "FNE/FNE.mp4": Clip()}


def _eemo(miniature: Miniature) -> dict[str, Content]:
    """Pictures of more than one ranking and level, and a question of either kind whose right option is another one."""
    said = "Ranking:{{'{}': 60, 'Surprise': 35, 'Neutral': 9}} category:Human Valence:{} Arousal:{} Dominance:{}"
    asked = {"yes": ("{'A': 'Yes.', 'B': 'No.'}", "Yes-or-No"), "what": ("{'A': 'Joy', 'B': 'Fear'}", "What/How")}
    files: dict[str, Content] = {}
    for part, named in (("single", ["image"]), ("pair", ["image1", "image2"])):
        name = f"EEmo-Bench({part}).json"
        rows = json.loads(str(miniature[name]))
        for number, (word, (options, kind)) in enumerate(asked.items(), start=20):
            labels = {f"{one}_label": said.format("Fear", number - 17, 8, 3 + number % 2) for one in named}
            urls = {f"{one}_url": f"{part}{number}{one}.jpg" for one in named}
            question = {"id": number, "question": f"Is it {word}?", "options": options, "correct_answer": "A"}
            rows.append({**question, "question_type": kind, **urls, **labels})
            files |= {f"images/{url}": Picture() for url in urls.values()}
        files[name] = json.dumps(rows)
    return {**miniature, **files}


MORE: dict[str, Callable[[Mapping[str, Content]], dict[str, Content]]] = {
    "affection": _responses("affection.csv", "coco/2{0:03d}.jpg,awe,It is {0} high.,coco\n", "images/coco/2{:03d}.jpg"),
    "artemis": _responses(
        "artemis_dataset_release_v0.csv", "Realism,d-{0},awe,There are {0} trees.,1\n", "wikiart/Realism/d-{}.jpg"
    ),
    "bold": _bold,
    "ch_sims": _ch_sims,
    "ch_sims_v2": _ch_sims_v2,
    "cmu_mosei": _cmu("Raw/Videos/Segmented/Combined/{}_{}.mp4"),
    "cmu_mosi": _cmu("Raw/{}/{}.mp4"),
    "cognimuse": _cognimuse,
    "dfew": _dfew,
    "eemo_bench": _eemo,
    "emer": _emer,
    "emotic": _emotic,
    "ferplus": _ferplus,
    "iemocap": _iemocap,
    "liris_accede": _liris,
    "mafw": _mafw,
    "meld": _meld,
    "mer2024": _mer2024,
    "omg_empathy": _omg,
    "ov_merd": _ov_merd,
}
"""Corpus → its miniature → with more files and rows."""
