"""Exports: every format names the right files, hears what a row lets hear, and nothing vanishes."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import wave
from pathlib import Path

import pytest
import webdataset
import yaml
from exporting import ROWS, Exporter, clip, make_clips, read_lines, row, write_rows
from toy_corpus import toy_corpus

from affectllm.cli import main
from affectllm.commands.export import export
from affectllm.corpus.roots import Roots
from affectllm.errors import AffectError, Malformed, MissingCorpus
from affectllm.instruct.exports import find_format, format_names
from affectllm.instruct.exports.exported import Refused
from affectllm.instruct.exports.media import Cut
from affectllm.instruct.exports.source import conversation_files
from affectllm.instruct.exports.write import MARK
from affectllm.instruct.formats import llama_factory
from affectllm.instruct.formats import webdataset as shards
from affectllm.model.clips import cut
from affectllm.model.clips.cut import tracks
from affectllm.train.data import load_rows

ALL = tuple(format_names())
LINES = tuple(name for name in ALL if name != "webdataset")


@pytest.fixture
def exporter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exporter:
    return Exporter(tmp_path, make_clips(toy_corpus(tmp_path, monkeypatch)))


def seconds(path: Path) -> float:
    with wave.open(str(path)) as file:
        return file.getnframes() / file.getframerate()


# ── what the formats write ───────────────────────────────────────────────────────────────────────────────────────────


def test_ms_swift_has_a_tag_where_each_file_is_shown(exporter: Exporter) -> None:
    out = exporter(ROWS, "ms-swift")
    by_id = exporter.by_id()
    questions = {name: item["messages"][0]["content"] for name, item in by_id.items()}
    assert questions == {
        **{"words": "Say it. Again.", "heard": "<video><audio>Both?", "shown": "<video>Pictures?"},
        **{"track": "<audio>Sound?", "song": "<audio>Song?", "face": "<image>Face?", "mute": "<video>Mute?"},
        "span": "<video><audio>Span?",
    }
    for item in by_id.values():
        text = item["messages"][0]["content"]
        assert [text.count(f"<{kind}>") for kind in ("image", "video", "audio")] == [
            len(item[column]) for column in ("images", "videos", "audios")
        ]
        assert all(
            Path(file).is_absolute() and Path(file).is_file()
            for c in ("images", "videos", "audios")
            for file in item[c]
        )
    assert by_id["words"]["messages"][1] == {"role": "assistant", "content": "joy"}
    assert "swift sft" in exporter.summary.advice[0] and (out / "train.jsonl").as_posix() in exporter.summary.advice[0]


def test_a_video_without_sound_holds_none_where_a_trainer_could_take_it_out(exporter: Exporter) -> None:
    exporter(ROWS, "ms-swift")
    by_id = exporter.by_id()
    assert tracks(Path(by_id["shown"]["videos"][0])) == {"video"}
    assert tracks(Path(by_id["span"]["videos"][0])) == {"video"} and by_id["span"]["audios"]
    assert Path(by_id["mute"]["videos"][0]).resolve() == (exporter.root / "mute.mp4").resolve()  # has none anyway
    exporter(ROWS, "webdataset")
    with tarfile.open(exporter.out / "train-000000.tar") as tar:
        tar.extractall(exporter.folder / "tar", filter="data")
    kinds = {path.name: tracks(path) for path in sorted((exporter.folder / "tar").glob("*.mp4"))}
    assert [set(kinds[f"{number:09d}.video0.mp4"]) for number in (1, 2, 6, 7)] == [
        *({"video", "audio"}, {"video"}, {"video"}, {"video", "audio"})
    ]


def test_llama_factory_says_which_columns_and_tags(exporter: Exporter) -> None:
    out = exporter(ROWS, "llama-factory")
    info = json.loads((out / "dataset_info.json").read_text())
    assert list(info) == ["affectllm_train"]  # there is no validation row
    entry = info["affectllm_train"]
    assert entry["file_name"] == "train.jsonl" and entry["formatting"] == "sharegpt"
    rows = read_lines(out / "train.jsonl")
    for column in entry["columns"].values():
        assert all(column in item for item in rows)
    for item in rows:
        for message in item["messages"]:
            assert set(message) == {entry["tags"]["role_tag"], entry["tags"]["content_tag"]}
        for name in item["images"] + item["videos"] + item["audios"]:
            assert not Path(name).is_absolute() and (out / name).is_file()
    assert "use_audio_in_video: false" in "\n".join(exporter.summary.advice)  # some are silent
    exporter([ROWS[1]], "llama-factory")
    assert "use_audio_in_video: true" in "\n".join(exporter.summary.advice)


def test_llama_factory_gets_no_row_that_it_would_skip(exporter: Exporter) -> None:
    twice = row("twice", "One.")
    twice["messages"].insert(0, {"role": "user", "content": [{"type": "text", "text": "Zero."}]})
    system = row("system", "One.")
    system["messages"].insert(0, {"role": "system", "content": [{"type": "text", "text": "Be brief."}]})
    exporter([twice, system, ROWS[0]], "llama-factory")
    assert set(exporter.by_id()) == {"system", "words"} and exporter.summary.rejected == {"turns": 1}
    exporter([twice, ROWS[0]], "ms-swift")
    assert set(exporter.by_id()) == {"twice", "words"}


def test_axolotl_reads_paths_in_parts_and_texts_as_texts(exporter: Exporter) -> None:
    out = exporter(ROWS, "axolotl")
    heard = exporter.by_id()["heard"]["messages"][0]["content"]
    assert [part["type"] for part in heard] == ["video", "audio", "text"]
    assert all(Path(part["path"]).is_file() for part in heard[:2])
    page = yaml.safe_load((out / "axolotl.yaml").read_text())
    assert page["datasets"] == [
        {
            **{"path": str(out / "train.jsonl"), "ds_type": "json", "type": "chat_template"},
            "field_messages": "messages",
        }
    ]
    assert page["skip_prepare_dataset"] is True and page["remove_unused_columns"] is False
    exporter(ROWS[:1], "axolotl")
    assert exporter.by_id()["words"]["messages"][0]["content"] == "Say it. Again."
    assert "skip_prepare_dataset" not in (exporter.out / "axolotl.yaml").read_text()


def test_trl_has_prompt_and_completion_unless_it_could_not_see_the_clips(exporter: Exporter) -> None:
    exporter(ROWS[:1], "trl")
    assert exporter.by_id()["words"] == {
        **{"id": "words", "corpus": "toy", "prompt": [{"role": "user", "content": "Say it. Again."}]},
        "completion": [{"role": "assistant", "content": "joy"}],
    }
    exporter([ROWS[0], ROWS[5]], "trl")
    face = exporter.by_id()["face"]
    assert face["prompt"][0]["content"] == [{"type": "image"}, {"type": "text", "text": "Face?"}]
    assert Path(face["images"][0]).is_file() and exporter.by_id()["words"]["images"] == []
    exporter(ROWS, "trl")
    assert all("messages" in item and "images" in item and "prompt" not in item for item in exporter.by_id().values())
    assert "assistant_only_loss=True" in exporter.summary.advice[-1]


def test_webdataset_reads_every_sample_with_its_clips(exporter: Exporter) -> None:
    out = exporter(ROWS, "webdataset")
    samples = list(webdataset.WebDataset(str(out / "train-000000.tar"), shardshuffle=False, empty_check=False))
    assert [json.loads(sample["json"])["id"] for sample in samples] == [item["id"] for item in ROWS]
    for sample, item in zip(samples, ROWS, strict=True):
        record = json.loads(sample["json"])
        parts = [part for message in record["messages"] for part in message["content"] if part["type"] != "text"]
        assert [part["type"] for part in parts] == [
            p["type"] for p in item["messages"][0]["content"] if p["type"] != "text"
        ]
        assert all(sample[part["member"]] for part in parts)
        assert {key for key in sample if not key.startswith("__")} == {"json", *(part["member"] for part in parts)}
    face = (exporter.root / "face.png").read_bytes()
    assert next(sample for sample in samples if b'"face"' in sample["json"])["image0.png"] == face
    sound = next(sample for sample in samples if b'"track"' in sample["json"])["audio0.wav"]
    with wave.open(io.BytesIO(sound)) as file:
        assert file.getnframes() / file.getframerate() == pytest.approx(1.5, abs=1e-4)
    assert not (out / "cut").exists() and not (out / "clips").exists()  # the bytes are in the tar


def test_webdataset_cuts_its_shards_and_counts_their_samples(
    exporter: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "SHARD_SAMPLES", 3)
    out = exporter(ROWS, "webdataset")
    sizes = json.loads((out / "sizes.json").read_text())
    assert sizes == {"train-000000.tar": 3, "train-000001.tar": 3, "train-000002.tar": 2}
    assert "{000000..000002}" in exporter.summary.advice[0]
    urls = str(out / "train-{000000..000002}.tar")
    assert len(list(webdataset.WebDataset(urls, shardshuffle=False))) == len(ROWS)
    monkeypatch.setattr(shards, "SHARD_BYTES", 20_000)
    exporter(ROWS, "webdataset")
    assert len(json.loads((exporter.out / "sizes.json").read_text())) > 3


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("to", LINES)
def test_a_span_and_a_track_become_files_that_last_as_long(exporter: Exporter, to: str) -> None:
    out = exporter(ROWS, to)
    assert seconds(out / "cut" / "toy" / "conversation.mp4@1-2.5.wav") == pytest.approx(1.5, abs=1e-4)
    assert seconds(out / "cut" / "toy" / "conversation.mp4.wav") == pytest.approx(4.0, abs=0.07)  # its AAC's last block
    assert (out / "cut" / "toy" / "conversation.mp4@1-2.5.silent.mp4").is_file()


@pytest.mark.parametrize("media", ["link", "copy", "path"])
def test_whole_files_are_linked_copied_or_named_where_they_lie(exporter: Exporter, media: str) -> None:
    out = exporter([ROWS[4]], "ms-swift", media)
    (name,) = exporter.by_id()["song"]["audios"]
    source = exporter.root / "song.wav"
    if media == "path":
        assert name == str(source) and not (out / "clips").exists()
    else:
        assert name == str(out / "clips" / "toy" / "song.wav")
        assert Path(name).is_symlink() is (media == "link") and Path(name).read_bytes() == source.read_bytes()


def test_a_path_that_leaves_its_corpus_is_refused(exporter: Exporter, tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes((exporter.root / "song.wav").read_bytes())
    (exporter.root / "link.wav").symlink_to(tmp_path / "secret.wav")
    exporter(
        [row("link", clip("audio", "link.wav"), "?"), row("up", clip("audio", "../../secret.wav"), "?"), ROWS[0]], "trl"
    )
    assert exporter.summary.rejected == {"unsafe_path": 2} and set(exporter.by_id()) == {"words"}


def test_one_clip_is_cut_once_for_all_rows_that_ask_about_it(exporter: Exporter, monkeypatch) -> None:
    cut_files = []

    def counted(source: Path, target: Path, wanted: Cut) -> Refused | None:
        cut_files.append(target.name)
        return real(source, target, wanted)

    real = cut.cut
    monkeypatch.setattr(cut, "cut", counted)
    more = [row(f"again{number}", clip("audio", "conversation.mp4", start=1.0, end=2.5), "?") for number in range(3)]
    out = exporter([*more, row("part", clip("audio", "song.wav", start=0.5, end=1.0), "?")], "trl")
    assert cut_files == ["conversation.mp4@1-2.5.wav", "song.wav@0.5-1.wav"]
    assert {path.name for path in (out / "cut" / "toy").iterdir()} == set(cut_files)
    assert seconds(out / "cut" / "toy" / "song.wav@0.5-1.wav") == pytest.approx(0.5)


# ── what is not exported ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("to", ALL)
def test_what_cannot_be_exported_is_counted_and_listed(exporter: Exporter, to: str, capsys) -> None:
    (exporter.root / "broken.mp4").write_text("not a clip")
    (exporter.root / "empty.wav").write_bytes(b"")
    bad = {
        "gone": (clip("video", "gone.mp4"), "media_missing"),
        "empty": (clip("audio", "empty.wav"), "empty_file"),
        "broken": (clip("audio", "broken.mp4"), "unreadable"),
        "dumb": (clip("audio", "mute.mp4"), "no_audio_stream"),
        "deaf": (clip("video", "mute.mp4", sound=True), "no_audio_stream"),
        "late": (clip("video", "conversation.mp4", start=9.0, end=10.0), "too_short"),
    }
    out = exporter([ROWS[0], *(row(name, part, "?") for name, (part, _) in bad.items())], to)
    listed = {item["id"]: item["reason"] for item in read_lines(out / "rejected.jsonl")}
    assert listed == {name: reason for name, (_, reason) in bad.items()}
    assert sum(exporter.summary.rejected.values()) == len(bad) and exporter.summary.rows == {"train": 1}
    assert "no_audio_stream          2" in capsys.readouterr().out


@pytest.mark.parametrize("to", ALL)
def test_a_text_with_a_control_token_is_not_exported(exporter: Exporter, to: str) -> None:
    tokens = {
        *find_format(to).tags,
        *("<s>", "</s>", "<unk>", "<pad>", "<bos>", "<eos>", "<mask>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"),
        *("[IMG]", "[AUDIO]", "[BEGIN_AUDIO]", "<start_of_turn>", "<end_of_turn>", "<start_of_image>"),
        *("<end_of_image>", "<image_soft_token>", "<audio_soft_token>", "<start_of_audio>", "<end_of_audio>"),
        "<|im_start|>",
        "<|im_end|>",
        "<|video_pad|>",
        "<|eot_id|>",
        "<｜User｜>",
    }
    bad = [row(f"asked{n}", f"before {token} after") for n, token in enumerate(sorted(tokens))]
    bad += [row(f"answered{n}", "?", answer=f"x{token}") for n, token in enumerate(sorted(tokens))]
    bad.append(row("split", "<vid", "eo>"))
    fine = [row("fine", "a < b, <b>bold</b>, [laughs], 3 > 2 and |pipes|, <imag e>"), ROWS[0]]
    exporter([*bad, *fine], to)
    assert exporter.summary.rejected == {"control_token": len(bad)} and exporter.summary.rows == {"train": 2}
    assert read_lines(exporter.out / "rejected.jsonl")[0]["where"] in tokens


def test_an_export_without_any_row_is_an_error_and_leaves_nothing(exporter: Exporter) -> None:
    with pytest.raises(AffectError, match=r"1 × media_missing.*gone"):
        exporter([row("gone", clip("video", "gone.mp4"), "?")], "trl", out="none")
    assert not [path for path in exporter.folder.iterdir() if "none" in path.name]


@pytest.mark.parametrize("to", ALL)
def test_a_split_of_which_nothing_is_left_has_no_file(exporter: Exporter, to: str) -> None:
    run = write_rows(exporter.folder / "run", ROWS[:1])
    write_rows(run, [row("gone", clip("video", "gone.mp4"), "?")], "validation.parquet")
    out = exporter.folder / "out"
    summary = export(run, to, out, Roots({"toy": exporter.root}), "link")
    assert summary.rows == {"train": 1} and summary.rejected == {"media_missing": 1}
    assert not list(out.glob("validation*")) and not list(out.glob(".*"))
    pages = [out / name for name in ("dataset_info.json", "axolotl.yaml", "sizes.json")]
    texts = [*summary.advice, *(page.read_text() for page in pages if page.is_file())]
    assert "validation" not in "\n".join(texts)


def test_a_row_that_ends_with_a_question_is_no_row(exporter: Exporter) -> None:
    open_end = row("open", "Well?")
    del open_end["messages"][-1]
    exporter([open_end, ROWS[0]], "trl")
    assert exporter.summary.rejected == {"turns": 1}


# ── folders ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_files_of_a_split_are_read_whole_or_in_numbered_parts(exporter: Exporter) -> None:
    run = exporter.folder / "run"
    write_rows(run / "build", [row("v0", "?")], "validation-00000-of-00002.parquet")
    write_rows(run / "build", [row("v1", "?")], "validation-00001-of-00002.parquet")
    write_rows(run / "build", ROWS[:1])
    summary = export(run, "ms-swift", exporter.folder / "out", Roots(), "link")
    assert summary.rows == {"train": 1, "validation": 2}
    assert [item["id"] for item in read_lines(exporter.folder / "out" / "validation.jsonl")] == ["v0", "v1"]
    assert "--val_dataset" in summary.advice[0]
    (run / "build" / "conversations" / "validation-00000-of-00002.parquet").unlink()
    with pytest.raises(Malformed, match="not one whole set"):
        conversation_files(run)


def test_a_corpus_that_is_not_there_is_named_before_anything_is_written(exporter: Exporter, monkeypatch) -> None:
    monkeypatch.delenv("AFFECTLLM_CORPORA", raising=False)
    run = write_rows(exporter.folder / "run", ROWS)
    with pytest.raises(MissingCorpus, match="--root toy="):
        export(run, "trl", exporter.folder / "out", Roots(), "link")
    assert not (exporter.folder / "out").exists()


def test_only_an_export_is_replaced_and_only_by_a_whole_one(exporter: Exporter, monkeypatch) -> None:
    out = exporter(ROWS[:1], "trl", out="same")
    exporter(ROWS, "axolotl", out="same")
    assert (out / "axolotl.yaml").is_file() and json.loads((out / MARK).read_text())["format"] == "axolotl"
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(llama_factory.json, "dumps", full)
    with pytest.raises(OSError):
        exporter(ROWS, "llama-factory", out="same")
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    monkeypatch.undo()
    (exporter.folder / "theirs").mkdir()
    (exporter.folder / "theirs" / "thesis.tex").write_text("years of work")
    with pytest.raises(AffectError, match="no export"):
        run = write_rows(exporter.folder / "again", ROWS[:1])
        export(run, "trl", exporter.folder / "theirs", Roots(), "link")
    assert (exporter.folder / "theirs" / "thesis.tex").is_file()


@pytest.mark.parametrize("to", ALL)
def test_the_same_rows_give_the_same_bytes(exporter: Exporter, to: str) -> None:
    def digests(out: Path) -> dict[str, str]:
        files = sorted(path for path in out.rglob("*") if path.is_file())
        return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    first = digests(exporter(ROWS, to, out="same"))
    assert digests(exporter(ROWS, to, out="same")) == first and len(first) > 3


def test_the_command_offers_every_format(exporter: Exporter, capsys) -> None:
    run = write_rows(exporter.folder / "run", ROWS)
    words = ["export", str(run), "--root", f"toy={exporter.root}"]
    for name in format_names():
        assert main([*words, "--to", name, "--out", str(exporter.folder / name)]) == 0
    assert main([*words, "--to", "trl", "--out", str(exporter.root)]) == 2  # the corpus itself is no export
    assert "choose another --out" in capsys.readouterr().err and (exporter.root / "conversation.mp4").is_file()


def test_a_clip_whose_name_fills_the_disk_is_cut_under_a_shorter_one(exporter: Exporter) -> None:
    names = [f"{'x' * 250}{number}.mp4" for number in range(2)]
    for name in names:
        (exporter.root / name).hardlink_to(exporter.root / "conversation.mp4")
    out = exporter([row(name[-5:], clip("audio", name, start=0.0, end=0.1), "Who?") for name in names], "trl")
    cut_files = sorted((out / "cut" / "toy").iterdir())
    assert len(cut_files) == 2 and all(path.name.startswith("x" * 180 + "~") for path in cut_files)


def test_a_run_folder_may_have_brackets_in_its_name(tmp_path: Path) -> None:
    """The library that opens the files takes names for patterns."""
    folder = write_rows(tmp_path / "run [a-z]* {b}", [row("one", "Who?")])
    assert list(load_rows(folder, "train")["id"]) == ["one"]
