"""`affectllm annotate PAGE`: what comes out, who is named as the rater, what it costs, shards, wrong pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from stand_in_server import MODEL, StandIn

from affectllm.cli import main
from affectllm.corpus.builder import load_builder
from affectllm.instruct.mixture_part import Part
from affectllm.yaml_page import read_page

ROWS = ("I am so glad today", "This makes me furious", "I am glad and calm", "What a dull day")
STEPS = """\
  - {step: describe, name: worded, model: scribe, see: [text]}
  - {step: describe, name: heard, model: scribe, see: [audio]}
  - {step: merge, name: description, model: scribe, of: [worded, heard]}
  - {step: extract, name: labels, models: [scribe, other], of: description, space: ekman_6_neutral}
  - {step: vote, name: voted, of: labels, least: 2, space: ekman_6_neutral}
  - {step: self_review, name: reviewed, model: scribe, of: description, see: [text]}
  - {step: rate, of: description, items: 2}
"""


def answer(body: dict[str, Any]) -> str:
    asked = str(body["messages"])
    if "Answer with one of them" in asked:
        return (
            "anger" if "furious" in asked else "happiness" if "glad" in asked else ("fear" if body["seed"] else "anger")
        )
    if "Does this description fit" in asked:
        return "no" if "calm" in asked else "yes"
    words = next((text for text in ROWS if text in asked), "")
    return f"Somebody says: {words}"


def written(folder: Path, server: StandIn, steps: str = STEPS, **more: str) -> Path:
    rows = "".join(f"r{n},{text}\n" for n, text in enumerate(ROWS))
    (folder / "table.csv").write_text("id,text\n" + rows)
    options = f"base_url: '{server.url}', model: {MODEL}, selftest: false, price_in: 1.0, price_out: 2.0"
    models = [
        f"  {name}: {{model: affectllm-api, called: {name}, options: {{{options}, extra: {{seed: {n}}}}}}}"
        for n, name in enumerate(("scribe", "other"))
        if name in steps
    ]
    lines = ["name: made", "files: [table.csv]", *(f"{k}: {v}" for k, v in more.items()), "models:", *models, "steps:"]
    page = folder / "page.yaml"
    page.write_text("\n".join(lines) + "\n" + steps)
    return page


def run(page: Path, *words: str, out: str = "out", answers: str = "answers") -> int:
    folders = ["--out", str(page.parent / out), "--answers", str(page.parent / answers)]
    return main(["annotate", str(page), *folders, *words])


def outputs(out: Path) -> dict[str, bytes]:
    apart = ("manifest.json", ".lock", "log.txt")
    paths = [path for path in out.rglob("*") if path.is_file() and path.name not in apart]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(paths)}


def test_a_page_ends_as_a_corpus_and_nothing_is_asked_twice(tmp_path: Path, capsys, monkeypatch) -> None:
    with StandIn(answer=answer) as server:
        page = written(tmp_path, server)
        assert run(page, "--dry-run") == 0 and not server.bodies
        shown = capsys.readouterr().out
        assert "scribe: 16 requests" in shown and "other: 4 requests" in shown and "cost at most about 0." in shown
        assert "s, if an answer takes 2 s" in shown
        assert run(page) == 0
        asked = len(server.bodies)
        assert asked == 4 + 4 + 8 + 3  # nothing is heard, and the tie is not reviewed
        told = capsys.readouterr().err
        assert "without a note: 4 × no_audio" in told and "1 × no_agreement" in told and "1 × fails_self_review" in told
        assert "in the unit of the prices" in told
        assert run(page) == 0 and len(server.bodies) == asked
        whole = outputs(tmp_path / "out")
        assert run(page, out="again") == 0 and len(server.bodies) == asked
        assert outputs(tmp_path / "again").keys() == whole.keys()
        capsys.readouterr()
        assert run(page, "--dry-run") == 0 and "scribe: 0 requests" in capsys.readouterr().out
    steps = [json.loads(line) for line in (tmp_path / "out/steps/05-voted.jsonl").read_text().splitlines()]
    assert [row.get("notes", {}).get("voted") for row in steps] == [["happiness"], ["anger"], ["happiness"], None]
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path / "out"))
    builder = load_builder("made")
    samples = [item for item in builder.samples(tmp_path) if hasattr(item, "annotations")]
    assert [sample.id for sample in samples] == ["r0", "r1"]
    raters = {one.rater for sample in samples for one in sample.annotations}
    assert raters <= set(builder.CARD.raters) and {name.partition("@")[0] for name in raters} > {"scribe", "other"}
    parts = read_page(tmp_path / "out/mixture.yaml").value["mixture"]
    for fields in parts:
        assert Part(**{**fields, "modalities": tuple(fields["modalities"])}).bind()


def test_shards_end_as_the_run_at_once(tmp_path: Path) -> None:
    with StandIn(answer=answer) as server:
        page = written(tmp_path, server)
        assert run(page, out="whole", answers="fresh") == 0
        asked = len(server.bodies)
        assert [run(page, "--shard", f"{n}/3") for n in (1, 2, 3)] == [0, 0, 0]
        assert len(server.bodies) == 2 * asked and not (tmp_path / "out").exists()
        assert run(page) == 0 and len(server.bodies) == 2 * asked
        assert outputs(tmp_path / "out") == outputs(tmp_path / "whole")
        assert run(page, "--shard", "4/3") == 2


BEHIND = """\
  - {step: describe, name: worded, model: scribe, see: [text]}
  - {step: distinct, name: once, of: worded, threshold: 0.3, shingle: 1}
  - {step: extract, name: labels, models: [scribe], of: worded, space: ekman_6_neutral}
  - {step: rate, of: worded, items: 2}
"""


def test_shards_go_on_behind_a_step_that_needs_all_rows(tmp_path: Path, capsys) -> None:
    with StandIn(answer=answer) as server:
        page = written(tmp_path, server, BEHIND)
        assert run(page, out="whole", answers="fresh") == 0
        asked = len(server.bodies)
        assert 4 < asked < 8  # of two that are nearly the same, one is left
        told = []
        for number in (1, 2, 1):  # the last one that gives its answers can go on at once
            assert run(page, "--shard", f"{number}/2") == 0
            told.append((len(server.bodies) - asked, capsys.readouterr().out.splitlines()[-1]))
        assert [count for count, _ in told] == [2, 5, asked] and not (tmp_path / "out").exists()
        assert "once needs the answers of all" in told[0][1]
        assert all(line.endswith("run without --shard") for _, line in told[1:])
        assert run(page) == 0 and len(server.bodies) == 2 * asked
        assert outputs(tmp_path / "out") == outputs(tmp_path / "whole")


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("  - {step: describ, model: scribe, see: [text]}\n", "there is no kind of step called 'describ'"),
        ("  - {step: describe, model: scribe, see: [text], tokns: 3}\n", "unknown key 'tokns'"),
        ("  - {step: describe, model: scribes, see: [text]}\n", "there is no model 'scribes'"),
        ("  - {step: describe, model: scribe, see: [smell]}\n", "describe sees smell"),
        ("  - {step: merge, model: scribe, of: [heard]}\n", "no step before this one is called 'heard'"),
        ("  - {step: describe, model: scribe, see: [text]}\n" * 2, "a second step is called 'describe'"),
        ("  - 3 # scribe\n", "a step is a mapping"),
    ],
)
def test_a_wrong_page_is_refused_before_anything_is_asked(steps: str, message: str, tmp_path: Path, capsys) -> None:
    with StandIn(answer=answer) as server:
        assert run(written(tmp_path, server, steps)) == 2
        assert message in capsys.readouterr().err and not server.bodies
