"""Beyond the contract of builders, acted and synthetic speech: ESD, TESS, SAVEE, MEAD and EmoNet-Voice."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading_corpora import answer, miniature, read

from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise
from affectllm.errors import Malformed, MissingCorpus

ANGRY = "en_alloy_intense_anger_rage_fury_hatred_and_annoyance_vocalbursts"
LOST = {
    "esd": {
        ("Emotion Speech Dataset/0012/0012.txt:2", "broken_row"),
        ("Emotion Speech Dataset/0012/Sad/notes.wav", "unknown_name"),
        ("0016_001452", "media_missing"),
        *((f"{number:04d}", "file_missing") for number in range(1, 21) if number not in (1, 12, 16)),
    },
    "tess": {
        ("OAF_angry/OAF_back_furious.wav", "unknown_label"),
        ("OAF_angry/readme.wav", "unknown_name"),
        ("copy/TESS/YAF_pleasant_surprised/YAF_youth_ps.wav", "duplicate_file"),
    },
    "savee": {("DC_s07", "unknown_label"), ("AudioData/KL/h15.wav", "duplicate_file")},
    "mead": {
        ("M003/audio/angry/level_1/bad.m4a", "unknown_name"),
        ("M003/video/front/bored/level_3/002.mp4", "unknown_label"),
    },
    "emonet_voice": {
        ("clip_b", "unknown_label"),
        ("clip_c", "unknown_label"),
        ("clip_c", "no_annotation"),
        ("clip_d", "broken_row"),
        ("clip_d", "no_annotation"),
        ("../clip_e.mp3", "unsafe_path"),
        ("audio/clip_z.mp3", "no_annotation"),
    },
    "emonet_voice_big": {
        ("es_verse_pain_and_suffering.tar", "not_unpacked"),
        (f"{ANGRY}/000002", "out_of_range"),
        (f"{ANGRY}/000003.json:1", "broken_row"),
        (f"{ANGRY}/000004", "media_missing"),
        (f"{ANGRY}/000005.mp3", "no_annotation"),
        ("de_boredom/c", "unknown_label"),
        ("de_boredom/c", "no_annotation"),
        ("de_boredom/d", "no_annotation"),
    },
}


def put(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"sound")
    return root


@pytest.mark.parametrize("name", LOST)
def test_exactly_what_is_broken_in_a_miniature_is_rejected(name: str, tmp_path: Path) -> None:
    _, rejected = miniature(name, tmp_path)
    assert sorted(rejected) == sorted(LOST[name])


# ESD


def test_esd_reads_every_transcript_in_its_own_encoding(tmp_path: Path) -> None:
    samples, _ = miniature("esd", tmp_path)
    assert {name: sample.text for name, sample in samples.items()} == {
        "0001_000001": "今天下雨了。",
        "0001_000371": "你怎么才来？",
        "0012_000751": "The door is green.",
        "0012_001101": None,
        "0016_001451": "It was a café by the sea.",
    }


@pytest.mark.parametrize(
    ("speaker", "encoding"),
    [
        *(("0001", name) for name in ("utf-8", "utf-8-sig", "gb2312", "utf-16", "utf-16-le")),
        *(("0017", name) for name in ("utf-8", "utf-16", "latin-1")),
    ],
)
def test_esd_is_not_bound_to_one_encoding_a_speaker(speaker: str, encoding: str, tmp_path: Path) -> None:
    words = "他说：“走”。" if speaker == "0001" else "A na\xefve caf\xe9."
    put(tmp_path, f"{speaker}/Sad/{speaker}_001100.wav")
    text = f"{speaker}_001100\t{words}\t伤心\r\n" if speaker == "0001" else f"{speaker}_001100 {words} Sad\n"
    (tmp_path / speaker / f"{speaker}.txt").write_bytes(text.encode(encoding))
    samples, rejected = read("esd", tmp_path)
    assert samples[f"{speaker}_001100"].text == words
    assert {reason for _, reason in rejected} == {"file_missing"}


def test_one_broken_line_of_utf8_costs_one_line(tmp_path: Path) -> None:
    put(tmp_path, *(f"0002/Angry/0002_00035{number}.wav" for number in (1, 2, 3)))
    lines = [f"0002_00035{number}\t第{number}句话\t生气".encode() for number in (1, 2, 3)]
    lines[1] = lines[1].replace("话".encode(), b"\xff\x81")
    (tmp_path / "0002" / "0002.txt").write_bytes(b"\n".join(lines))
    samples, rejected = read("esd", tmp_path)
    assert [sample.text for sample in samples.values()] == ["第1句话", None, "第3句话"]
    assert ("0002/0002.txt:2", "bad_encoding") in rejected


def test_esd_splits_by_folder_and_else_by_number(tmp_path: Path) -> None:
    samples, _ = miniature("esd", tmp_path)
    splits = {name: sample.split for name, sample in samples.items()}
    assert splits == {
        "0001_000001": "validation",
        "0001_000371": "test",
        "0012_000751": "train",
        "0012_001101": "train",
        "0016_001451": "train",
    }
    put(tmp_path / "plain", "0003/Angry/0003_000370.wav", "0003/Angry/0003_000371.wav", "0003/Angry/0003_000401.wav")
    again, _ = read("esd", tmp_path / "plain")
    assert [sample.split for sample in again.values()] == ["validation", "test", "train"]


def test_esd_transcript_and_folder_that_disagree_are_counted(tmp_path: Path) -> None:
    put(tmp_path, "0011/Sad/0011_001100.wav")
    (tmp_path / "0011" / "0011.txt").write_text("0011_001100\tGo on.\tHappy\n")
    samples, rejected = read("esd", tmp_path)
    assert answer(samples["0011_001100"], "esd_5", "actor") == "sadness"
    assert ("0011_001100", "contradiction") in rejected


# TESS, SAVEE


def test_tess_completes_the_name_that_lacks_a_letter(tmp_path: Path) -> None:
    samples, _ = miniature("tess", tmp_path)
    assert list(samples) == ["OAF_back_angry", "OAF_bite_angry", "YAF_youth_ps"]
    assert answer(samples["YAF_youth_ps"], "ekman_6_neutral", "actor") == "surprise"
    assert samples["OAF_bite_angry"].text == "Say the word bite."


def test_savee_tells_sadness_from_surprise(tmp_path: Path) -> None:
    samples, _ = miniature("savee", tmp_path)
    assert answer(samples["DC_sa01"], "ekman_6_neutral", "actor") == "sadness"
    assert answer(samples["JK_su02"], "ekman_6_neutral", "actor") == "surprise"
    assert [ref.path for ref in samples["KL_h15"].media] == ["AudioVisualClip/KL/h15.avi", "ALL/KL_h15.wav"]
    assert [samples[name].split for name in ("DC_sa01", "JK_su02", "KL_h15")] == ["train", "validation", "test"]


# MEAD


def test_mead_takes_all_views_of_a_recording_for_one(tmp_path: Path) -> None:
    samples, _ = miniature("mead", tmp_path)
    first = samples["M003_angry_1_001"]
    assert [ref.path for ref in first.media] == [
        "M003/video/front/angry/level_1/001.mp4",
        "M003/audio/angry/level_1/001.m4a",
    ]
    assert first.attributes["views"] == "front left_30"
    assert answer(samples["M003_disgusted_3_029"], "mead_intensity", "actor") == "strong"
    assert answer(samples["W009_sad_3_005"], "ekman_6_contempt_neutral", "actor") == "sadness"


def test_mead_needs_neither_the_folder_video_nor_a_known_view(tmp_path: Path) -> None:
    put(tmp_path, "M005/front/sad/level_1/003.mp4", "M005/odd_view/sad/level_1/004.mp4", "M005/sad/level_1/003.m4a")
    samples, rejected = read("mead", tmp_path)
    assert [ref.modality for ref in samples["M005_sad_1_003"].media] == ["video", "audio"]
    assert [ref.path for ref in samples["M005_sad_1_004"].media] == ["M005/odd_view/sad/level_1/004.mp4"]
    assert not rejected


def test_mead_counts_the_test_sentences_from_the_end(tmp_path: Path) -> None:
    whole = [f"M003/audio/happy/level_2/{number:03d}.m4a" for number in range(1, 30)]  # a clip was lost: 29, not 30
    part = [f"W009/audio/happy/level_2/{number:03d}.m4a" for number in (1, 24, 25)]
    neutral = [f"W009/audio/neutral/level_1/{number:03d}.m4a" for number in (30, 31)]
    samples, _ = read("mead", put(tmp_path, *whole, *part, *neutral))
    tests = sorted(name for name, sample in samples.items() if sample.split == "test")
    assert tests == [
        *(f"M003_happy_2_{number:03d}" for number in range(24, 30)),
        "W009_happy_2_025",
        "W009_neutral_1_031",
    ]


# EmoNet-Voice


def test_emonet_voice_keeps_every_expert_and_their_mean(tmp_path: Path) -> None:
    samples, _ = miniature("emonet_voice", tmp_path)
    first, second = samples["clip_a"], samples["clip_b"]
    space = load_builder("emonet_voice").SPACE.name  # type: ignore[attr-defined]
    assert answer(first, space, "expert_2") == {"amusement": 1.0}
    assert answer(first, space, "mean") == {"amusement": 1.5}
    assert answer(second, space, "mean") == {"jealousy and envy": 0.0}
    assert [ref.path for ref in second.media] == ["audio/clip_b.wav"], "the suffix does not matter"


def test_emonet_voice_reads_parquet_without_the_sounds_inside(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    label = "[{'annotator_1': {'Hope/Enthusiasm/Optimism': 2}}]"
    audio = pa.array(
        [{"bytes": b"x" * 100, "path": "a.mp3"}, {"bytes": b"y", "path": None}],
        pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
    )
    (tmp_path / "data").mkdir()
    parquet.write_table(pa.table({"audioId": audio, "label": [label, label]}), tmp_path / "data" / "train-0.parquet")
    put(tmp_path, "audio/000001_hope.mp3")
    samples, rejected = read("emonet_voice", tmp_path)
    assert [ref.path for ref in samples["000001_hope"].media] == ["audio/000001_hope.mp3"]
    assert answer(samples["a"], "emonet_voice_intensity", "expert_1") == {"hope": 2.0}
    assert rejected == [("a", "media_missing")]
    whole = (tmp_path / "data" / "train-0.parquet").read_bytes()
    (tmp_path / "data" / "train-0.parquet").write_bytes(whole[40:])
    with pytest.raises(Malformed, match="Parquet"):
        read("emonet_voice", tmp_path)


def test_emonet_voice_big_tells_what_was_asked_for_from_what_a_model_heard(tmp_path: Path) -> None:
    samples, _ = miniature("emonet_voice_big", tmp_path)
    first, second = samples[f"{ANGRY}/000001"], samples["fr_sage_jealousy_and_envy/a"]
    asked, heard = "emonet_voice_40", "emonet_voice_model_intensity"
    assert answer(first, asked, "generator") == "anger"
    assert answer(first, heard, "model") == {"anger": 3.0, "elation": 0.0}
    assert (first.text, first.language, first.speaker) == ("Get out!", "en", "alloy")
    assert first.attributes["caption"] == "A man shouts."
    assert answer(second, asked, "generator") == "jealousy and envy"
    assert answer(second, heard, "model") == {"jealousy and envy": 2.5}
    assert (second.text, second.language, second.speaker) == ("Encore elle.", "fr", "sage")
    third = samples["de_boredom/b"]
    assert (answer(third, asked, "generator"), third.speaker) == ("fear", "nova"), "the file goes before the folder"
    assert answer(samples[f"{ANGRY}/000003"], asked, "generator") == "anger", "a broken file leaves the folder"
    assert {sample.split for sample in samples.values()} == {"train"}


def test_emonet_voice_big_finds_folders_at_any_depth_and_no_clip_twice(tmp_path: Path) -> None:
    materialise({"de/de_nova_hope_enthusiasm/1.json": '{"text": "Ja."}', "en/x_1/1.json": '{"label": "Awe"}'}, tmp_path)
    put(tmp_path, "de/de_nova_hope_enthusiasm/1.mp3", "en/x_1/1.ogg")
    samples, rejected = read("emonet_voice_big", tmp_path)
    assert [answer(s, "emonet_voice_40", "generator") for s in samples.values()] == ["hope", "awe"] and not rejected
    materialise({"copy/de_nova_hope_enthusiasm/1.json": "{}"}, tmp_path)
    put(tmp_path, "copy/de_nova_hope_enthusiasm/1.mp3")
    again, rejected = read("emonet_voice_big", tmp_path)
    assert list(again) == list(samples)
    assert rejected == [("de_nova_hope_enthusiasm/1", "duplicate_id")]


def test_emonet_voice_big_in_its_archives_says_to_unpack_them(tmp_path: Path) -> None:
    put(tmp_path / "big", "en_alloy_hope.tar", "fr_sage_awe.tar")
    with pytest.raises(MissingCorpus, match=r"unpack en_alloy_hope\.tar, fr_sage_awe\.tar there"):
        read("emonet_voice_big", tmp_path / "big")
