"""A miniature of the published files of each reproduction: a few invented rows in the real layout."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from wheel_tables import Spec, write_2025

from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise

Maker = Callable[[Path], None]


def text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def _crema_d(root: Path) -> None:
    head = '"","A","D","F","H","N","S","fileName"\n'
    rows = [f'"{mode}0000{n}",1,0,0,{n},0,0,"100{n}_IEO_{acted}_XX"\n' for mode in (1, 2, 3) for n, acted in _ACTED]
    text(root / "crema_d/processedResults/tabulatedVotes.csv", head + "".join(rows))
    text(root / "crema_d/processedResults/summaryTable.csv", '"","FileName","VoiceVote"\n"1","1001_IEO_ANG_XX","A"\n')


_ACTED = ((1, "ANG"), (2, "HAP"))


def _tweeteval(root: Path) -> None:
    text(root / "tweeteval/datasets/emotion/test_labels.txt", "0\n1\n2\n3\n")
    text(root / "tweeteval/predictions/emotion.txt", "0\n1\n3\n3\n")


def _vader(root: Path) -> None:
    for name in ("tweets", "amazonReviewSnippets", "movieReviewSnippets", "nytEditorialSnippets"):
        text(root / f"vader/{name}_GroundTruth.txt", "1\t2.5\ta good day\n2\t-1.5\ta bad one\n3\t0\tand so on\n")
        text(root / f"vader/{name}_vader.tsv", "id\tcompound\n3\t0.1\n1\t0.7\n2\t-0.6\n")


def _eemo(root: Path) -> None:
    names = {"deepseek-vl2-tiny": "", "deepseek_vl": "", "janus_7b": "", "qwen2-7b": "", "gpt-4o": ""}
    for name, model in {**names, "mPLUG_owl2_7b": "mPLUG-owl2-7b"}.items():
        verdict = f"eval_result({model or name})"
        rows = [{"id": n, "question_type": kind, verdict: n % 2} for n, kind in enumerate(("Yes-or-No", "What/How"))]
        text(root / f"eemo_bench/leaderboards/{name}/EEmo-Bench({name}-pair).json", json.dumps(rows))


def _emobox(root: Path) -> None:
    folds = {"emodb": 5, "iemocap": 5, "ravdess": 6, "savee": 4, "casia": 4}
    for name in (*folds, "cremad", "aesdd", "ased", "asvpesd", "urdu"):
        for fold in range(1, folds.get(name, 1) + 1):
            row = json.dumps({"key": f"{name}-a", "emo": "sad"}) + "\n"
            text(root / f"emobox_lists/{name}/fold_{fold}/{name}_test_fold_{fold}.jsonl", row)


def _emotiontalk(root: Path) -> None:
    text(root / "emotiontalk/mm.csv", "file_name,emotion\na.mp4,happy\n")
    text(root / "emotiontalk/transcription.csv", "name,emotion,chinese\na,happy,好\n")


def _empathic(root: Path) -> None:
    text(root / "empathic_reactions/messages.csv", '"message_id","empathy","distress","essay"\n"a","5.6","4","sad"\n')


def _empdg(root: Path) -> None:
    replies = {name: ["i am so sorry . ", "that is so good !"] for name in ("ref", "Know_EDG", "MoEL", "transformer")}
    text(root / "empdg/Predictions/models_result.json", json.dumps(replies))


def _eq_bench(root: Path) -> None:
    names = {f"emotion{n}": name for n, name in enumerate(("Calm", "Angry", "Sad", "Proud"), 1)}
    scores = {f"emotion{n}_score": n for n in range(1, 5)}
    question = {"prompt": "How does she feel?", "reference_answer_fullscale": {**names, **scores}}
    text(root / "eq_bench/data/eq_bench_v2_questions_171.json", json.dumps({"1": question, "2": question}))
    replies = {"1": "Calm: 1\nAngry: 2\nSad: 3\nProud: 5"}
    results = {"benchmark_score": 90.1, "raw_results": {"1": {"raw_inference": replies}}, "run_id": "2"}
    path = "eq_bench_results/results/eq-bench/Qwen__Qwen-14B-Chat_eqbench_v2_results.json"
    text(root / path, json.dumps(results))


def _esconv(root: Path) -> None:
    text(root / "esconv/FailedESConv.json", json.dumps([{"emotion_type": "anger", "dialog": [{"content": "hello"}]}]))


def _reccon(root: Path) -> None:
    path = "reccon/data/subtask2/fold1/dailydialog_classification_test_without_context.csv"
    text(root / path, "emotion,text,labels,id\nsad,a,1,dd_0\nsad,b,0,dd_1\n")


def _sage(root: Path) -> None:
    names = ("gpt-4.1", "gpt-4.5", "claude3.7-think", "claude3.7", "deepseek-v3-0324", "openai-o4mini")
    for name in (*names, "llama3.3-70b", "openai-o1", "qwen2.5-72b"):
        rows = ({"id": str(n), "emo_point": point, "history": []} for n, point in enumerate((100, 55, 3, -5)))
        path = root / f"sage/dataset/deepseek-v3-2024-1227_based_simulator/{name}_result.jsonl"
        text(path, "".join(json.dumps(row) + "\n" for row in rows))


def _vggish(root: Path) -> None:
    (root / "mtg_jamendo_arrays").mkdir(parents=True)
    np.save(root / "mtg_jamendo_arrays/groundtruth.npy", np.array([[True, False], [False, True], [True, True]]))
    np.save(root / "mtg_jamendo_arrays/baseline_vggish_predictions.npy", np.array([[0.9, 0.2], [0.3, 0.8], [0.5, 0.1]]))


def _mer2024(root: Path) -> None:
    text(root / "mer2024_ov_store/check-openset.csv", "name,openset\na,\"['happy', 'glad']\"\nb,['sad']\n")
    text(root / "mer2024_ov_store/predict-openset.csv", "name,openset\na,['glad']\nb,\"['angry', 'sad']\"\n")
    with zipfile.ZipFile(root / "mer2024_ov_store/openset-synonym.zip", "w") as archive:
        for name in "ab":
            content = io.BytesIO()
            np.save(content, "[['happy', 'glad']]")
            archive.writestr(f"openset-synonym/{name}.npy", content.getvalue())


def _unibench(root: Path) -> None:
    words = [("bright", "joy", "happy"), (None, "merry", "bold"), ("dark", "sadness", "sad"), (None, "anger", "gloomy")]
    known = [word for row in words for word in row if word]
    alone: dict[str, list[str]] = {word: [] for word in known}  # no synonyms, no other spellings
    write_2025(root / "emotion_wheels", Spec([words] * 5, [alone] * 8, alone))
    mertools, outputs = root / "mertools", root / "affectgpt_outputs"
    emotions = {"sample_1": {"emo": "merry", "val": -10}, "sample_2": {"emo": "gloomy", "val": -10}}
    _archive(mertools / "mer2023-dataset-process/label-6way.npz", train_corpus={}, test1_corpus=emotions)
    _archive(root / "mer2024_labels/label-6way.npz", test1_corpus=emotions)
    for name, label in (("meld-process/label.npz", "test_corpus"), ("iemocap-process/label_4way.npz", "whole_corpus")):
        numbers = {"Ses05F_1": {"emo": 1, "val": -10}, "Ses05F_2": {"emo": 0, "val": -10}}
        _archive(mertools / name, **{label: {**numbers, "Ses01F_1": {"emo": 2, "val": -10}}})
    for name in ("cmumosi", "cmumosei", "sims", "simsv2"):
        values = {"a": {"emo": 0, "val": 1.2}, "b": {"emo": 0, "val": -0.4}, "c": {"emo": 0, "val": 0.0}}
        _archive(mertools / f"{name}-process/label.npz", test_corpus=values)
        _outputs(outputs / f"{name}-sentiment.npz", {"a": "positive", "b": "negative", "c": "neutral"})
    for name in ("mer2023", "mer2024"):
        _outputs(outputs / f"{name}-openset.npz", {"sample_1": "[merry, bold]", "sample_2": "[merry]"})
    for name in ("meld", "iemocap"):
        _outputs(outputs / f"{name}-openset.npz", dict.fromkeys(("Ses05F_1", "Ses05F_2", "Ses01F_1"), "[merry, sad]"))
    text(root / "ov_merd_plus/ovlabel.csv", "name,openset\nx,\"['merry', 'bold']\"\n")
    _outputs(outputs / "ovmerd-openset.npz", {"x": "[merry]"})


def _archive(path: Path, **corpora: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{name: np.array(corpus, object) for name, corpus in corpora.items()})


def _outputs(path: Path, items: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, filenames=np.array(list(items)), fileitems=np.array(list(items.values())))


def _jamendo(root: Path) -> None:
    """The miniature of the corpus with two more tracks to test: one is happy, so that a ranking has two sides."""
    files = dict(load_builder("mtg_jamendo").MINIATURE)
    (test,) = (name for name in files if name.endswith("split-0/autotagging_moodtheme-test.tsv"))
    rows = (f"track_000009{n}\tartist_00009{n}\talbum_00009{n}\t9{n}/9{n}.mp3\t60.0\tmood/theme---" for n in (1, 2))
    files[test] = (
        str(files[test]) + "\n".join(row + tag for row, tag in zip(rows, ("happy", "dark"), strict=True)) + "\n"
    )
    materialise(files, root / "mtg_jamendo")


def _corpus(name: str) -> Maker:
    return lambda root: materialise(load_builder(name).MINIATURE, root / name) and None


MINIATURES: dict[str, Maker] = {
    **{"crema_d_listeners": _crema_d, "tweeteval_emotion": _tweeteval, "vader": _vader},
    **{"eemo_bench_pairs": _eemo, "emobox_folds": _emobox, "emotiontalk_counts": _emotiontalk},
    **{"empathic_reactions_counts": _empathic, "empdg_replies": _empdg, "esconv_failed": _esconv},
    "eq_bench_qwen": _eq_bench,
    **{"reccon_counts": _reccon, "sage": _sage, "mtg_jamendo_vggish": _vggish, "mer2024_ov": _mer2024},
    **{"mer_unibench_affectgpt": _unibench, "meld_counts": _corpus("meld")},
    "mtg_jamendo_popular": _jamendo,
}
