"""affectllm probe: fit linear probes on every layer of a frozen model, with control tasks, and draw the layer curve."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

from affectllm.commands.parts.options import root_option


def add_options(parser: argparse.ArgumentParser) -> None:
    text = "Hub id, folder, tiny:<family>, an adapter, or any encoder of sounds, pictures or words"
    parser.add_argument("model", metavar="MODEL", help=text)
    parser.add_argument("--tasks", required=True, metavar="A,B", help="tasks or groups, see `affectllm ls tasks`")
    root_option(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: runs/probe)")
    parser.add_argument("--export", type=Path, metavar="FILE", help="write the vectors with ids and labels, as .npz")
    parser.add_argument("--json", action="store_true", help="print the layer curves as one JSON object")
    _protocol(parser)
    _model(parser)


def _protocol(parser: argparse.ArgumentParser) -> None:
    text = "such as 0,4,8: 0 is what goes into the first layer (default: all)"
    parser.add_argument("--layers", default="all", metavar="0,4,8", help=text)
    text = "state of the last token, or mean over all (default: last; mean for an encoder)"
    parser.add_argument("--pool", choices=("last", "mean"), help=text)
    text = "speaker-disjoint folds of the whole corpus (default: fitted on the training split, scored on the task's)"
    parser.add_argument("--folds", type=int, metavar="N", help=text)
    text = "most items of either side, drawn by their ids (default: all)"
    parser.add_argument("--limit", type=int, metavar="N", help=text)
    text = "control tasks, random labels by item, speaker or text; none (default: item,speaker)"
    parser.add_argument("--controls", default="item,speaker", metavar="A,B", help=text)
    parser.add_argument(
        "--draws", type=int, default=3, metavar="N", help="random labellings of each control task (default: 3)"
    )
    text = "score the probe N tokens later too, in a text that says nothing, such as 8,64 (default: none)"
    parser.add_argument("--after", default="", metavar="N,N", help=text)
    text = "show only these of a task's modalities, for example text, audio, video+audio"
    parser.add_argument("--modalities", metavar="NAMES", help=text)


def _model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--adapter", metavar="DIR", help="a PEFT adapter to put on the model")
    parser.add_argument("--processor", metavar="MODEL", help="whose processor is used, where the model has none")
    parser.add_argument("--dtype", default="auto", help="torch dtype (default: the checkpoint's own)")
    parser.add_argument("--device", help="such as cuda:0 (default: a GPU where there is one)")
    parser.add_argument("--batch-size", default="auto", metavar="N", help="items at once (default: auto)")
    text = "media budget: fps, max_frames, max_pixels, min_pixels, max_seconds, long"
    parser.add_argument("--budget", action="append", default=[], metavar="KEY=VALUE", help=text)


def call(arguments: argparse.Namespace) -> None:
    from affectllm.commands.parts.probe import probe_of
    from affectllm.report.probes import write_probe

    probe = probe_of(arguments)
    with redirect_stdout(sys.stderr):  # a library's word on the standard output would be no path and no JSON
        curves = probe.run()
    page = write_probe(probe.out)
    print(json.dumps({"report": str(page), **curves}, ensure_ascii=False) if arguments.json else page)
