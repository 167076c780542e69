"""The command line: one verb a stage. A command's body is one call, and imports what it needs when it runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from affectllm import __version__
from affectllm.exits import exit_status
from affectllm.model import torchvision_ops

_EPILOG = """\
examples:
  affectllm run quickstart                          build, train, score and report a tiny model on synthetic clips
  affectllm ls corpora                              what can be read, with licence and size
  affectllm audit emodb --root emodb=~/data/EmoDB   compare a download with what its card promises
  affectllm run meld_text_tiny --root meld=~/MELD   the same line on a real corpus
  affectllm score --metric uar --gold g.csv --pred p.csv   score predictions that you already have
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0, 2 for an error that is explained, 130 for Ctrl-C."""
    words = list(sys.argv[1:] if argv is None else argv)
    torchvision_ops.install()  # before anything imports torchvision; loads nothing itself
    return exit_status(lambda: _run_command(words))


def _run_command(words: list[str]) -> int:
    if words[:1] == ["eval"]:
        return _eval(words[1:])
    arguments = _parser().parse_args(words)
    return int(arguments.body(arguments) or 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="affectllm",
        description="Instruction tuning and evaluation of multimodal LLMs on affect.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"affectllm {__version__}")
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (_add_run, _add_build, _add_train, _add_eval, _add_score, _add_report, _add_publish):
        add(verbs)
    for add in (_add_export, _add_leaks, _add_audit, _add_gallery, _add_ls, _add_show, _add_modules):
        add(verbs)
    doctor = verbs.add_parser("doctor", help="say what of this machine matters, and what to do about it")
    doctor.set_defaults(body=_doctor)
    return parser


def _recipe_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", help="name (see `affectllm ls recipes`) or path of a YAML file")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="override one value of the page"
    )
    _root_option(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: runs/RECIPE)")


def _root_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--root", action="append", default=[], metavar="NAME=DIR", help="where a corpus lies; repeatable"
    )


def _processes_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--num-processes", type=int, metavar="N", help="processes of the launch configuration")


def _add_run(verbs: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    parser = verbs.add_parser("run", help="build, train, score and report a recipe")
    _recipe_options(parser)
    _processes_option(parser)
    parser.set_defaults(body=_run)


def _run(arguments: argparse.Namespace) -> None:
    from affectllm import pipeline

    pipeline.run(arguments.recipe, arguments.set, arguments.root, arguments.out, arguments.num_processes)


def _add_build(verbs: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    parser = verbs.add_parser(
        "build", help="turn corpora into samples and conversations (a mixture, a recipe, or corpora by name)"
    )
    parser.add_argument("names", nargs="+", metavar="NAME", help="one mixture or recipe, or one or more corpora")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="override one value of the page"
    )
    _root_option(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: runs/NAME)")
    parser.add_argument(
        "--stats", action="store_true", help="print and draw label distributions, lengths, what is lost"
    )
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default: 1)")
    parser.add_argument("--only", choices=("commercial",), help="of a mixture, the corpora whose licence allows it")
    parser.add_argument("--languages", metavar="TAG,…", help="of a mixture, the samples in these languages")
    parser.set_defaults(body=_build)


def _build(arguments: argparse.Namespace) -> None:
    from affectllm.build import build

    filters = [f"only={arguments.only}"] if arguments.only else []
    filters += [f"languages=[{arguments.languages}]"] if arguments.languages else []
    told = {"filters": filters, "stats": arguments.stats, "workers": arguments.workers}
    build(arguments.names, arguments.set, arguments.root, arguments.out, **told)


def _add_train(verbs: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    parser = verbs.add_parser("train", help="build where needed, then start accelerate with the recipe's configuration")
    _recipe_options(parser)
    _processes_option(parser)
    parser.set_defaults(body=_train)


def _train(arguments: argparse.Namespace) -> None:
    from affectllm import pipeline

    pipeline.train_only(arguments.recipe, arguments.set, arguments.root, arguments.out, arguments.num_processes)


def _add_eval(verbs: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    # Listed here for --help; main() hands every word after `eval` to lm-eval's own parser.
    verbs.add_parser("eval", help="start lm-eval with our tasks and models; takes all of lm-eval's options")


def _eval(words: Sequence[str]) -> int:
    from affectllm.evaluate.harness import lm_eval_main

    lm_eval_main(words)
    return 0


def _add_score(verbs: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    from affectllm.score.options import add_options

    parser = verbs.add_parser("score", help="score a table of predictions against a table of gold values")
    add_options(parser)
    parser.set_defaults(body=_score)


def _score(arguments: argparse.Namespace) -> None:
    from affectllm.score.command import score

    score(arguments)


def _add_modules(verbs: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    parser = verbs.add_parser("modules", help="write the metrics as modules of Hugging Face evaluate")
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("names", nargs="*", metavar="NAME", help="metrics (default: all)")
    parser.set_defaults(body=_modules)


def _modules(arguments: argparse.Namespace) -> None:
    from affectllm.metrics.evaluate_modules import write_modules

    written = write_modules(arguments.folder, arguments.names)
    print(f"{len(written)} modules in {arguments.folder}; load one with evaluate.load({str(written[0])!r})")


def _add_report(verbs: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    parser = verbs.add_parser("report", help="one HTML page about one or several runs")
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="where to write (default: report.html in the first run)"
    )
    _root_option(parser)
    parser.set_defaults(body=_report)


def _report(arguments: argparse.Namespace) -> None:
    from affectllm import pipeline

    pipeline.report(arguments.runs, arguments.out, arguments.root)


def _add_publish(verbs: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    parser = verbs.add_parser("publish", help="put a run on the Hugging Face Hub, with a card")
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--repo-id", required=True, metavar="USER/NAME")
    parser.add_argument("--private", action="store_true", help="create a private repository")
    parser.add_argument("--dry-run", action="store_true", help="write the folder only, and say where")
    _root_option(parser)
    parser.set_defaults(body=_publish)


def _publish(arguments: argparse.Namespace) -> None:
    from affectllm import pipeline

    pipeline.publish(arguments.run, arguments.repo_id, arguments.dry_run, arguments.private, arguments.root)


def _add_export(verbs: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    parser = verbs.add_parser("export", help="write built conversations as other trainers read them")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a run, or its build folder")
    formats = ("trl", "ms-swift", "llama-factory", "axolotl", "webdataset")
    parser.add_argument("--to", required=True, choices=formats, help="the trainer, or a tar of samples")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder to write")
    _root_option(parser)
    parser.add_argument(
        "--media",
        choices=("link", "copy", "path"),
        default="link",
        help="whole clips: linked into DIR, copied there, or named where they lie (default: link)",
    )
    parser.set_defaults(body=_export)


def _export(arguments: argparse.Namespace) -> None:
    from affectllm.export import export

    export(arguments.folder, arguments.to, arguments.out, arguments.root, arguments.media)


def _add_leaks(verbs: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    told = "say what a recipe or a mixture trains on and tasks score; exits with 1 if anything"
    parser = verbs.add_parser("leaks", help=told)
    parser.add_argument("name", metavar="NAME", help="a recipe or a mixture (see `affectllm ls`)")
    tasks = "tasks or groups, or corpora for their test splits (default: the recipe's, or all tasks of corpora at hand)"
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=tasks)
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="override one value of the page"
    )
    _root_option(parser)
    least = "least share of the shorter text's words, weighted by rarity, in near-duplicates (default: 0.5)"
    parser.add_argument("--threshold", type=float, default=0.5, metavar="S", help=least)
    decoded = "decode all clips and compare what is heard and seen (some 100 sounds or 10 films a second); else bytes"
    parser.add_argument("--thorough", action="store_true", help=decoded)
    parser.add_argument("--no-media", action="store_true", help="do not compare the content of clips")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(body=_leaks)


def _leaks(arguments: argparse.Namespace) -> int:
    from affectllm.leaks import leaks

    told = {"media": not arguments.no_media, "thorough": arguments.thorough, "as_json": arguments.json}
    return leaks(arguments.name, arguments.tasks, arguments.set, arguments.root, threshold=arguments.threshold, **told)


def _add_audit(verbs: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    parser = verbs.add_parser("audit", help="compare a corpus on disk with what its card promises")
    parser.add_argument("names", nargs="+", metavar="NAME")
    _root_option(parser)
    parser.add_argument("--no-media", action="store_true", help="do not open clips")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(body=_audit)


def _audit(arguments: argparse.Namespace) -> int:
    from affectllm import listing

    return listing.audit(arguments.names, arguments.root, media=not arguments.no_media, as_json=arguments.json)


def _add_gallery(verbs: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    parser = verbs.add_parser(
        "gallery", help="a page to look at samples of a corpus, or at built conversations, with players"
    )
    parser.add_argument("name", metavar="NAME", help="a corpus, or the folder of a run or build with conversations")
    _root_option(parser)
    parser.add_argument("-n", type=int, default=200, metavar="N", help="number of samples (default: 200)")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the page (default: runs/gallery/NAME.html, or gallery.html beside the conversations)",
    )
    parser.set_defaults(body=_gallery)


def _gallery(arguments: argparse.Namespace) -> None:
    from affectllm.build import gallery

    gallery(arguments.name, arguments.root, arguments.out, arguments.n)


def _add_ls(verbs: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    parser = verbs.add_parser(
        "ls", help="list corpora, tasks, recipes, mixtures, templates, metrics, families and methods"
    )
    kinds = ("corpora", "tasks", "recipes", "mixtures", "templates", "metrics", "families", "methods")
    parser.add_argument("kind", nargs="?", choices=kinds, type=lambda word: "families" if word == "backbones" else word)
    parser.set_defaults(body=_ls)


def _ls(arguments: argparse.Namespace) -> None:
    from affectllm import listing

    listing.ls(arguments.kind)


def _add_show(verbs: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    parser = verbs.add_parser(
        "show", help="show a corpus, task, recipe, mixture, template or metric, with samples where they are at hand"
    )
    parser.add_argument("name", nargs="+", metavar="NAME", help="a name; `metric NAME` where a name is not unique")
    parser.add_argument("-n", type=int, default=2, metavar="N", help="number of samples")
    _root_option(parser)
    parser.set_defaults(body=_show)


def _show(arguments: argparse.Namespace) -> None:
    from affectllm import listing

    listing.show(arguments.name, arguments.n, arguments.root)


def _doctor(arguments: argparse.Namespace) -> int:
    from affectllm import doctor

    checks = doctor.doctor()
    print(doctor.render(checks))
    return int(any(check.status == "fail" for check in checks))


if __name__ == "__main__":
    sys.exit(main())
