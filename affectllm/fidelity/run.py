"""Judge the clips of a page and score them, in a run folder: what was judged before is not judged again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from affectllm import registry
from affectllm.corpus import MediaRef, Rejection
from affectllm.corpus.roots import Roots
from affectllm.errors import AffectError, Malformed
from affectllm.evaluate.models.requests import content_digest
from affectllm.fidelity import people
from affectllm.fidelity.ceiling import Ceiling, ceiling, kinship, refuse_learned
from affectllm.fidelity.correction import Labels, corrected_accuracy
from affectllm.fidelity.judges.judgement import Judge, Judgement, Remembering, reasons
from affectllm.fidelity.page import FidelityPage, JudgePage, Windows, inputs_of, read_fidelity
from affectllm.fidelity.pairs import Example, Pair, examples, read_pairs, sample_of
from affectllm.fidelity.scoring import TARGET, Judged, differences, scores
from affectllm.metrics.judge.local import fingerprint
from affectllm.model.clips.container import duration_of, opened
from affectllm.model.clips.fence import MediaError, fenced
from affectllm.run import RUNS, Run, cache_folder, digest, file_digest, write_json
from affectllm.voice import tell

RESULT, JUDGEMENTS = "fidelity.json", "judgements.jsonl"
_LONGEST = 600.0  # seconds of a clip that are cut into windows


@dataclass(frozen=True)
class Fidelity:
    """A page that is to be carried out.

    Args:
        path: of the page; its tables are relative to it.
        roots: of corpora, which win over those of the page.
        out: the run folder; None for one of the page's name.
    """

    path: Path
    roots: Roots
    out: Path | None = None

    def run(self) -> Path:
        """Judge and score, and return the run folder.

        Raises:
            AffectError: for a page, a table or a judge that cannot be used.
        """
        page = read_fidelity(self.path)
        table = self._beside(page.table)
        folder = self.out or RUNS / "fidelity" / self.path.stem
        pairs, rejected = read_pairs(page, table)
        if not pairs:
            counts = ", ".join(f"{n} × {reason}" for reason, n in Counter(one.reason for one in rejected).items())
            raise Malformed(f"no row is a generated clip ({counts or 'there is none'})", where=str(table))
        inputs = {"page": inputs_of(page), "tables": self._digests(page), "judges": self._behind(page)}
        with Run(folder, "fidelity", {**inputs, "clips": _clips_digest(pairs)}) as run:
            if not run.done:
                self._fill(run, page, pairs, rejected)
        return folder

    def _roots(self, page: FidelityPage) -> Roots:
        named = {name: Path(folder).expanduser() for name, folder in page.roots.items()}
        return Roots({**named, **self.roots.given})

    def _behind(self, page: FidelityPage) -> dict[str, Any]:
        """Return what decides a judge beside its page: the files of its folder, the clips that it learns from."""
        behind = {}
        for one in page.judges:
            labelled = [each for each in (one.learn, one.real) if each is not None]
            clips = [
                [content_digest(Path(ref.path)), str(example.label)]
                for each in labelled
                for example in examples(each, self.path.parent, self._roots(page))
                for ref in example.sample.media
            ]
            weights = fingerprint(Path(one.model)) if one.model and Path(one.model).is_dir() else ""
            behind[one.name] = {"weights": weights, "clips": digest(clips)}
        return behind

    def _beside(self, name: str) -> Path:
        return self.path.parent / Path(name).expanduser()

    def _digests(self, page: FidelityPage) -> dict[str, str]:
        real = [one.table for judge in page.judges for one in (judge.learn, judge.real) if one is not None]
        names = filter(None, (page.table, page.ratings, page.preferences, *real))
        return {name: file_digest(path) for name in names if (path := self._beside(name)).is_file()}

    def _fill(self, run: Run, page: FidelityPage, pairs: list[Pair], rejected: list[Rejection]) -> None:
        answers = self._beside(page.answers) if page.answers else cache_folder() / "fidelity"
        labels = page.labels or tuple(sorted({one.target for one in pairs} - {""}))
        judging = _Judging(page, labels, answers, self._roots(page), self.path.parent)
        if strange := sorted({one.target for one in pairs} - {"", *labels}):
            where = str(self._beside(page.table))
            raise Malformed(f"the target {strange[0]!r} is none of the labels", where=where, do="add it under labels:")
        # Before anything is judged, which may take hours.
        opinion = people.opinion(self._beside(page.ratings)) if page.ratings else {}
        preferences = people.preferences(self._beside(page.preferences)) if page.preferences else {}
        tell(f"judged by the labels {', '.join(labels) or '(none)'}")
        known = set(registry.names("data_builders"))
        lines: list[str] = []
        judges = {}
        for one in page.judges:
            judges[one.name], rows = judging.result(one, pairs)
            lines += [json.dumps(_line(one.name, row), ensure_ascii=False) + "\n" for row in rows]
        result = {
            "description": page.description,
            "clips": len(pairs),
            "left_out": dict(Counter(one.reason for one in rejected)),
            "labels": list(labels),
            "judges": judges,
            "unknown_corpora": sorted(
                {*page.trained_on, *(name for one in page.judges for name in one.trained_on)} - known
            ),
            "opinion": opinion,
            "preferences": preferences,
        }
        (run.folder / JUDGEMENTS).write_text("".join(lines), encoding="utf-8")
        write_json(run.folder / RESULT, result)
        run.outputs |= {"clips": len(pairs), "left_out": len(rejected), "judges": list(judges)}


@dataclass(frozen=True)
class _Judging:
    page: FidelityPage
    labels: tuple[str, ...]
    answers: Path
    roots: Roots
    base: Path

    def result(self, one: JudgePage, pairs: Sequence[Pair]) -> tuple[dict[str, Any], list[Judged]]:
        learned = examples(one.learn, self.base, self.roots) if one.learn else []
        real = self._real(one)
        refuse_learned(learned, real, one.name)
        judge = Remembering(self._judge(one, learned), self.answers)
        tell(f"{one.name}: {len(pairs):,} clips")
        own = ceiling(judge, real, one.rename) if real else None
        rows = self._judged(judge, one, pairs)
        systems: dict[str, list[Judged]] = {}
        for row in rows:
            systems.setdefault(row.pair.system, []).append(row)
        learned_from = sorted({*one.trained_on, *([one.learn.corpus] if one.learn and one.learn.corpus else [])})
        by_system = {name: self._system(part, own) for name, part in sorted(systems.items())}
        return {
            "judge": judge.inner.identity(),
            "real": _real_scores(own),
            "learned_from": learned_from,
            "kin": kinship(learned_from, self.page.trained_on),
            "unjudged": reasons(row.after for row in rows),
            "never_said": _never_said(rows),
            "windowed": sum(len(row.windows) > 1 for row in rows) if self.page.windows else None,
            "judged_now": judge.judged,
            "systems": by_system,
            "differences": differences(dict(sorted(systems.items())), self.labels) if len(systems) > 1 else {},
        }, rows

    def _real(self, one: JudgePage) -> list[Example]:
        labelled = one.real
        if labelled is None and one.learn is not None and one.learn.corpus and one.learn.split != "test":
            labelled = replace(one.learn, split="test")
        return examples(labelled, self.base, self.roots) if labelled else []

    def _judge(self, one: JudgePage, learned: Sequence[Example]) -> Judge:
        if one.learn is not None:
            from affectllm.fidelity.judges.shallow import ShallowJudge

            return ShallowJudge(learned, one.learn.modalities)
        if one.pipeline:
            from affectllm.fidelity.judges.pipelines import PipelineJudge

            return PipelineJudge(one.pipeline, one.model)
        from affectllm.fidelity.judges.asked import AskedJudge

        return AskedJudge(one, self.labels, self.answers / "asked")

    def _judged(self, judge: Remembering, one: JudgePage, pairs: Sequence[Pair]) -> list[Judged]:
        after = judge.judge([sample_of(pair.clip) for pair in pairs])
        before = iter(judge.judge([sample_of(pair.reference) for pair in pairs if pair.reference]))
        rows = []
        for pair, its in zip(pairs, after, strict=True):
            reference = next(before).renamed(one.rename) if pair.reference else None
            rows.append(Judged(pair, its.renamed(one.rename), reference, self._windows(judge, one, pair)))
        return rows

    def _windows(self, judge: Remembering, one: JudgePage, pair: Pair) -> tuple[Judgement, ...]:
        if self.page.windows is None:
            return ()
        parts = [sample_of(ref) for ref in cut(pair.clip, self.page.windows)]
        return tuple(its.renamed(one.rename) for its in judge.judge(parts))

    def _system(self, rows: list[Judged], own: Ceiling | None) -> dict[str, Any]:
        result = {"clips": len(rows), **scores(rows, self.labels, self.page.by)}
        target = result["metrics"].get(TARGET, {})
        if own is not None and own.labels is not None and "value" in target:
            best = own.scores["accuracy"]
            target["above_ceiling"] = target["value"] > best.value
            if self.page.correct:
                target["corrected"] = self._corrected(rows, own.labels)
        elif self.page.correct and "value" in target:
            message = "correct: needs real clips with labels"
            raise AffectError(message, do="give real: of every judge, or leave out correct:")
        return result

    def _corrected(self, rows: Sequence[Judged], real: Labels) -> dict[str, Any]:
        chosen = [row for row in rows if row.pair.target]
        speakers = [row.pair.cluster or row.pair.item for row in chosen]
        generated = Labels([row.pair.target for row in chosen], [row.after.label for row in chosen], speakers)
        names = sorted({*self.labels, *real.true})
        return asdict(corrected_accuracy(generated, real, names))


def cut(ref: MediaRef, windows: Windows) -> list[MediaRef]:
    """Return the windows of a clip, whole ones only; none of a picture or of a clip that cannot be opened."""
    if ref.modality == "image":
        return []
    path = Path(ref.path)

    def length() -> float:
        with opened(path) as container:
            return duration_of(container, path, _LONGEST)

    seconds = fenced(path, length)
    if isinstance(seconds, MediaError):
        return []
    begin, end = ref.start or 0.0, min(ref.end or seconds, seconds, _LONGEST)
    step, parts = windows.step or windows.seconds, []
    while begin + windows.seconds <= end + 1e-6:
        parts.append(replace(ref, start=begin, end=begin + windows.seconds))
        begin += step
    return parts


def _never_said(rows: Sequence[Judged]) -> list[str]:
    """Return the targets that are no label of the judge, where it says how likely each label of its own is."""
    known = {label for row in rows for label in row.after.shares}
    return sorted({row.pair.target for row in rows} - {"", *known}) if known else []


def _real_scores(own: Ceiling | None) -> dict[str, Any] | None:
    if own is None:
        return None
    return {**{name: one.to_json() for name, one in own.scores.items()}, "unjudged": own.unjudged}


def _clips_digest(pairs: Sequence[Pair]) -> str:
    refs = [ref.path for pair in pairs for ref in (pair.clip, pair.reference) if ref is not None]
    return digest([content_digest(Path(path)) for path in refs])


def _line(judge: str, row: Judged) -> dict[str, Any]:
    before = asdict(row.before) if row.before is not None else None
    windows = [asdict(one) for one in row.windows]
    return {"judge": judge, "id": row.pair.id, "after": asdict(row.after), "before": before, "windows": windows}
