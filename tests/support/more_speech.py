"""More of the test split of corpora that are heard, whose miniatures hold too little of it for their tasks."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Mapping

from affectllm.corpus.builder import load_builder
from affectllm.corpus.files.label_archives import archive
from affectllm.corpus.miniature import Clip, Content, Tone

Files = dict[str, Content]
Miniature = Mapping[str, Content]
_FILM, _SOUND = Clip(0.2), Tone(0.1)


def _longer(miniature: Miniature, rows: Mapping[str, str], files: Miniature) -> Files:
    """Add rows to the ends of tables, and files."""
    return {**miniature, **files, **{name: f"{miniature[name]}{more}" for name, more in rows.items()}}


def _more_emobox(miniature: Miniature) -> Files:
    """The balanced sets of three more corpora, of a recording each."""
    files = dict(miniature)
    for stem, key in (("IEMOCAP", "x"), ("RAVDESS", "x"), ("MELD", "x-train")):
        name = stem.lower()
        row = {"key": f"{name}-{key}", "wav": f"downloads/{name}/a_anger.wav", "emo": "anger"}
        files[f"data/{name}/fold_1/{name}_valid_fold_1.jsonl"] = f"{json.dumps(row)}\n"
        files[f"data/track2/{stem}_selected_balenced.jsonl"] = '{"wav_filename": "angry/x.wav", "label": "angry"}\n'
        files[f"downloads/{name}/a_anger.wav"] = _SOUND
    return files


def _more_iemocap(miniature: Miniature) -> Files:
    """A sad turn in each session, seen and heard."""
    files = dict(miniature)
    for session in (2, 3, 4, 5):
        scene, folder = f"Ses0{session}F_impro02", f"Session{session}"
        turn = f"{scene}_F000"
        files |= {
            f"{folder}/dialog/EmoEvaluation/{scene}.txt": f"% \n\n[0.1 - 0.4]\t{turn}\tsad\t[2.0, 2.0, 2.0]\n",
            f"{folder}/dialog/transcriptions/{scene}.txt": f"{turn} [000.1000-000.4000]: Oh no.\n",
            f"{folder}/sentences/wav/{scene}/{turn}.wav": _SOUND,
            f"{folder}/dialog/avi/DivX/{scene}.avi": Clip(),
        }
    return files


def _more_esd(miniature: Miniature) -> Files:
    return {**miniature, "Emotion Speech Dataset/0012/Sad/test/0012_001080.wav": _SOUND}


def _more_ravdess(miniature: Miniature) -> Files:
    return {**miniature, "Actor_12/01-02-04-01-02-01-12.mp4": _FILM}


def _more_emotiontalk(miniature: Miniature) -> Files:
    """Two utterances of the test that were judged in all four ways, and have clips."""
    names = {"G00003_05_13_009": 2, "G00003_05_13_010": 1}
    labels = {name: {"emo": emotion, "val": emotion - 1.4} for name, emotion in names.items()}
    places = [f"G00003/G00003_05/G00003_05_13/{name}" for name in names]
    files = dict(miniature)
    for way, named in (("mm", "mm"), ("txt", "txt"), ("audio", "audio"), ("video", "video")):
        parts = {"train_corpus": {}, "val_corpus": {}, "test_corpus": labels}
        files[f"{named}_label.npz"] = lambda parts=parts: archive(parts)
        files.pop(f"{way}.csv", None)
    files["transcription.csv"] = "name,emotion,chinese\n" + "".join(
        f"{place},{emotion},走吧。\n" for place, emotion in zip(places, ("sad", "happy"), strict=True)
    )
    files |= {f"Multimodal/mp4/{place}.mp4": _FILM for place in places}
    return files | {f"Audio/wav/{place}.wav": _SOUND for place in places}


def _more_m3ed(miniature: Miniature) -> Files:
    return {**miniature, "modality_speech/B_test_1_1.wav": _SOUND, "clips/test/test_1_1.mp4": _FILM}


def _more_avamerg(miniature: Miniature) -> Files:
    chain = {"speaker_emotion": "sad", "event_scenario": "A dog ran off.", "emotion_cause": "It is missed."}
    turn = {
        "dialogue_history": [{"role": "speaker", "utterance": "My cat is lost."}],
        "response": "I hope you find it.",
        "chain_of_empathy": {**chain, "goal_to_response": "Give hope."},
    }
    return {**miniature, "test.json": json.dumps([{"conversation_id": "00004", "turns": [turn]}])}


def _more_mustard(miniature: Miniature) -> Files:
    """One more utterance of either kind, so that each of five folds tests one."""
    table, clip = "data/sarcasm_data.json", "utterances_final/{}.mp4"
    rows = json.loads(str(miniature[table]))
    rows |= {f"2_{n}": {**rows["2_9"], "sarcasm": n == 20} for n in (20, 21)}
    places = [list(rows).index(key) for key in ("1_7", "1_8", "2_9", "2_10", "2_20")]
    folds = pickle.dumps([([], [place]) for place in places], protocol=2)
    clips = {clip.format(key): _FILM for key in ("2_20", "2_21")}
    return {**miniature, **clips, table: json.dumps(rows), "data/split_indices.p": folds}


def _more_emonet_voice(miniature: Miniature) -> Files:
    """Two snippets for each of the forty emotions, on which the experts differ, with one sound."""
    cell = "[{{'annotator_1': {{'{}': {}}}}}]"
    names = load_builder("emonet_voice").SPACE.names[:40]
    judged = [(f"{name.replace(' ', '_')}_{n}", cell.format(name, n)) for name in names for n in (0, 2)]
    files: Files = {f"audio/{clip}.wav": Tone(0.02) for clip, _ in judged}
    return _longer(miniature, {"bench.csv": "".join(f'{clip}.wav,"{cell}"\n' for clip, cell in judged)}, files)


def _sentences(table: str, rows: Mapping[str, str], place: str) -> Callable[[Miniature], Files]:
    """Return what adds rows of MMSA's table, ``video,clip`` → the rest, with clips at ``place``."""

    def more(miniature: Miniature) -> Files:
        lines = "".join(f"{key},{rest}\n" for key, rest in rows.items())
        keys = [key.split(",") for key in rows]
        files: Files = {place.format(*key): _FILM for key in keys}
        return _longer(miniature, {table: lines}, files)

    return more


def _more_mer2023(miniature: Miniature) -> Files:
    names = ("sample_00000020", "sample_00000030")
    rows = {"transcription-engchi-polish.csv": "".join(f"{name},走吧,Go.\n" for name in names)}
    return _longer(miniature, rows, {f"test{n}/{name}.mp4": _FILM for n, name in zip((2, 3), names, strict=True)})


def _more_mer2024(miniature: Miniature) -> Files:
    names = ("samplenew3_00000010", "samplenew3_00000020")
    rows = {"mer2024-dataset/transcription-engchi-polish.csv": "".join(f"{name},走吧,Go.\n" for name in names)}
    return _longer(miniature, rows, {f"mer2024-dataset/video-labeled/{name}.mp4": _FILM for name in names})


def _more_mtg_jamendo(miniature: Miniature) -> Files:
    """Two songs of the test split with different tags, so that each tag holds for one and not for the other."""
    row = "track_0000018\tartist_000018\talbum_000018\t18/18.mp3\t60.0\tmood/theme---calm\n"
    rows = {name: row for name in miniature if name.startswith("data/splits/split-0/") and name.endswith("-test.tsv")}
    rows |= {name: row for name in miniature if name.startswith("data/") and name.count("/") == 1}
    return _longer(miniature, rows, {"audio/13/13.mp3": _SOUND, "audio/18/18.mp3": _SOUND})


def _more_deam(miniature: Miniature) -> Files:
    table = next(name for name in miniature if name.endswith("2000_2058.csv"))
    return _longer(miniature, {table: "2002, 6.5, 1, 5, 7, 1\n"}, {"MEMD_audio/2002.mp3": _SOUND})


def _more_emomusic(miniature: Miniature) -> Files:
    rows = {
        "annotations/songs_info.csv": '7,"\t7.mp3","\tEve","\tFifth","\t0.1","\t0.55","\tJazz","\tevaluation"\n',
        "annotations/static_annotations.csv": ",,,\n7,6.5,1,7.3,1\n",
    }
    return _longer(miniature, rows, {f"clips_45seconds/{song}.mp3": _SOUND for song in (3, 7)})


def _more_pmemo(miniature: Miniature) -> Files:
    songs = range(40, 80)
    rows = {
        "metadata.csv": "".join(f"{song},{song}.mp3,Song,Band {song},Album,20.0,00:30,00:50\n" for song in songs),
        "annotations/static_annotations.csv": "".join(f"{song},0.{song},0.{120 - song}\n" for song in songs),
    }
    return _longer(miniature, rows, {f"chorus/{song}.mp3": _SOUND for song in songs})


_MOSI = {"qRsTuVwXyZ0,11": "GOOD ENOUGH,1.6,,,,Positive,test", "qRsTuVwXyZ0,12": "SO DULL,-2.2,,,,Negative,test"}
_SIMS = {
    "video_0002,0005": "太好了,0.8,0.6,0.6,0.8,Positive,test",
    "video_0002,0006": "算了,-0.6,-0.4,-0.8,-0.6,Negative,test",
}
_SIMS_2 = {key.replace("video_0002", "movie_7"): rest for key, rest in _SIMS.items()}
MORE: dict[str, Callable[[Miniature], Files]] = {
    "avamerg": _more_avamerg,
    "ch_sims": _sentences("SIMS/label.csv", _SIMS, "SIMS/Raw/{}/{}.mp4"),
    "ch_sims_v2": _sentences("ch-simsv2s/meta.csv", _SIMS_2, "ch-simsv2s/Raw/{}/{}.mp4"),
    "cmu_mosei": _sentences("label.csv", _MOSI, "Raw/{}/{}.mp4"),
    "cmu_mosi": _sentences("label.csv", _MOSI, "Raw/{}/{}.mp4"),
    "deam": _more_deam,
    "emobox": _more_emobox,
    "emomusic": _more_emomusic,
    "emonet_voice": _more_emonet_voice,
    "emotiontalk": _more_emotiontalk,
    "esd": _more_esd,
    "iemocap": _more_iemocap,
    "m3ed": _more_m3ed,
    "mer2023": _more_mer2023,
    "mer2024": _more_mer2024,
    "mtg_jamendo": _more_mtg_jamendo,
    "mustard": _more_mustard,
    "pmemo": _more_pmemo,
    "ravdess": _more_ravdess,
}
"""Corpus → its miniature → with more files and rows."""
