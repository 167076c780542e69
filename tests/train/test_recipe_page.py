"""A recipe is one complete page of data: everything that is not as it must be is refused with file and line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from wheel_tables import write_emotions

from affectllm import registry
from affectllm.cli import main
from affectllm.errors import BadRecipe, NotFound
from affectllm.evaluate.shelf import all_tasks
from affectllm.train.recipe import launch_file, load_recipe, variants

PAGE = """\
description: A page that is right.
data:
  mixture:
    - corpus: emodb
      template: emotion_choice
      space: emodb_7
      rater: actor
      modalities: [audio]
model:
  path: tiny:qwen2_5_omni
  backbone: qwen2_5_omni
trainer:
  learning_rate: 1.0e-4
  max_steps: 3
"""
LORA = "peft: {r: 8, lora_alpha: 16}\n"
RECIPES = sorted(registry.names("recipes"))


@pytest.fixture
def page(tmp_path: Path):
    def write(text: str) -> str:
        path = tmp_path / "page.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def test_the_page_that_the_others_change_is_right(page) -> None:
    recipe = load_recipe(page(PAGE))
    assert (recipe.name, recipe.corpora(), recipe.trainer["learning_rate"]) == ("page", ["emodb"], 1e-4)
    assert recipe.data.mixture[0].modalities == ("audio",) and recipe.model.budget.max_frames == 32


REFUSED = {
    "an unknown key": (PAGE + "modle: {}\n", "modle", "did you mean 'model'"),
    "an unknown key of a part": (PAGE.replace("rater: actor", "ratter: actor"), "ratter", "did you mean 'rater'"),
    "an unknown key of the model": (
        PAGE.replace("  path:", "  adapter: x\n  path:"),
        "adapter",
        "unknown key 'adapter'",
    ),
    "an unknown key of TRL": (PAGE.replace("max_steps", "max_step"), "max_step", "did you mean 'max_steps'"),
    "layers saved whole, no list": (PAGE + "peft: {modules_to_save: 7}\n", "peft", "must be a list of names"),
    "no type of torch": (PAGE + "quantization: {bnb_4bit_compute_dtype: ''}\n", "quantization", "no attribute"),
    "an unknown key of PEFT": (PAGE + "peft:\n  r: 8\n  alpha: 16\n", "alpha", "unknown key 'alpha' in peft"),
    "an unknown key of bitsandbytes": (PAGE + "quantization:\n  load_in_4bits: true\n", "4bits", "load_in_4bit"),
    "text for a number": (PAGE.replace("1.0e-4", "fast"), "learning_rate", "must be float"),
    "1e-4 is text in YAML 1.1": (PAGE.replace("1.0e-4", "1e-4"), "learning_rate", "write 1.0e-4"),
    "1e-4 in our own keys": (
        PAGE.replace("modalities: [audio]", "modalities: [audio]\n      weight: 1e-1"),
        "weight",
        "write 1.0e-4",
    ),
    "a fraction for a whole number": (PAGE.replace("max_steps: 3", "max_steps: 2.5"), "max_steps", "must be int"),
    "a name for a list": (PAGE.replace("[audio]", "audio"), "modalities", "must be a list"),
    "a list for a mapping": (PAGE + "eval: [emodb_emotion]\n", "eval", "must be a mapping"),
    "text for a seed": (PAGE + "seed: first\n", "seed", "whole number"),
    "true for a seed": (PAGE + "seed: true\n", "seed", "whole number"),
    "a word that is not one of those": (PAGE + "method: rlhf\n", "method", "sft"),
    "a key twice": (PAGE.replace("  max_steps: 3", "  max_steps: 3\n  max_steps: 4"), "max_steps: 4", "given twice"),
    "a tag": (PAGE + "seed: !function os.getpid\n", "seed", "a recipe is data"),
    "a Python tag": (PAGE + "seed: !!python/object/apply:os.getpid []\n", "seed", ""),
    "no YAML": (PAGE + "eval: {tasks: [\n", "", "not YAML"),
    "the test split in the mixture": (
        PAGE.replace("rater: actor", "rater: actor\n      split: test"),
        "split",
        "training split only",
    ),
    "the validation split too": (
        PAGE.replace("rater: actor", "rater: actor\n      split: validation"),
        "split",
        "training split only",
    ),
    "an unknown key of a part's budget": (
        PAGE.replace("rater: actor", "rater: actor\n      budget: {frames: 4}"),
        "budget",
        "unknown key 'frames'",
    ),
    "a name": (PAGE + "name: mine\n", "name: mine", "called as its file"),
    "an unknown space": (PAGE.replace("emodb_7", "emodb_8"), "corpus", "emodb_7"),
    "an unknown rater": (PAGE.replace("rater: actor", "rater: crowd"), "corpus", "actor"),
    "a modality the backbone lacks": (PAGE.replace("qwen2_5_omni", "qwen2_5_vl"), "modalities", "does not take audio"),
    "adapting without LoRA": (PAGE.replace("trainer:", "  adapt: {audio: null}\ntrainer:"), "adapt", "no peft"),
    "layers named twice": (
        PAGE.replace("trainer:", "  adapt: {audio: null}\ntrainer:")
        + LORA.replace("r: 8", "r: 8, target_modules: [q_proj]"),
        "adapt",
        "names the layers already",
    ),
    "a rate of nothing": (PAGE.replace("trainer:", "  learning_rates: {audio: 0}\ntrainer:"), "learning_r", "above 0"),
    "a rate for a frozen tower": (
        PAGE.replace("trainer:", "  freeze: [audio]\n  learning_rates: {audio: 1.0e-5}\ntrainer:"),
        "learning_rates",
        "is frozen and has a learning rate",
    ),
    "a rate for a tower without LoRA": (
        PAGE.replace("trainer:", "  learning_rates: {audio: 1.0e-5}\ntrainer:") + LORA,
        "learning_rates",
        "LoRA adapts language alone",
    ),
    "an ablation of no modality": (PAGE + "eval: {ablations: [[audio], [smell]]}\n", "eval", "'smell' is no modality"),
    "a guard's tasks nowhere": (
        PAGE + "eval: {guard: {tasks: [mine], include_path: nowhere}}\n",
        "eval",
        "no folder nowhere",
    ),
    "freezing under LoRA": (PAGE.replace("trainer:", "  freeze: [audio]\ntrainer:") + LORA, "freeze", "model.adapt"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_page_that_is_wrong_is_refused_with_its_line(page, case: str) -> None:
    text, part, message = REFUSED[case]
    file = page(text)
    with pytest.raises(BadRecipe) as caught:
        load_recipe(file)
    assert message in str(caught.value)
    where = caught.value.where
    assert where.startswith(f"{file}:")
    if part:
        assert int(where.rpartition(":")[2]) == line_of(text, part)


OURS = (
    "output_dir",
    "resume_from_checkpoint",
    "dataset_kwargs",
    "remove_unused_columns",
    "max_length",
    "packing",
    "assistant_only_loss",
    "seed",
)


@pytest.mark.parametrize("key", OURS)
def test_what_the_machine_decides_is_not_written_on_the_page(page, key: str) -> None:
    text = PAGE + f"  {key}: 1\n"
    with pytest.raises(BadRecipe, match=f"{key} is not set here: .+") as caught:
        load_recipe(page(text))
    assert caught.value.where.endswith(f":{len(text.splitlines())}")


@pytest.mark.parametrize("key", ["freeze", "adapt", "learning_rates"])
def test_an_unknown_tower_is_answered_with_those_that_exist(page, key: str) -> None:
    value = {"freeze": "[nose]", "adapt": "{nose: null}", "learning_rates": "{nose: 1.0e-4}"}[key]
    with pytest.raises(BadRecipe, match="no tower 'nose'") as caught:
        load_recipe(page(PAGE.replace("trainer:", f"  {key}: {value}\ntrainer:")))
    assert "audio" in caught.value.do and "language" in caught.value.do


@pytest.mark.parametrize("key", ["description", "data", "model", "trainer"])
def test_a_missing_key_is_named(page, key: str) -> None:
    content = yaml.safe_load(PAGE)
    del content[key]
    with pytest.raises(BadRecipe, match=f"lacks {key}"):
        load_recipe(page(yaml.safe_dump(content)))


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words\n", "42\n"])
def test_a_page_that_is_no_mapping_is_refused(page, text: str) -> None:
    with pytest.raises(BadRecipe, match="a mapping of keys"):
        load_recipe(page(text))


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"description: \xff\xfe\n")
    with pytest.raises(BadRecipe, match="UTF-8"):
        load_recipe(str(tmp_path / "x.yaml"))


def test_a_page_that_is_not_there_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(tmp_path / "nowhere.yaml")]) == 2
    assert "nowhere.yaml cannot be read" in capsys.readouterr().err
    with pytest.raises(NotFound) as caught:
        load_recipe("quickstrat")
    assert "quickstart" in caught.value.do


def test_an_unknown_launch_configuration_is_answered_with_those_that_exist(page) -> None:
    with pytest.raises(BadRecipe, match="zero9") as caught:
        load_recipe(page(PAGE + "launch: zero9\n"))
    assert "did you mean zero2" in caught.value.do
    with pytest.raises(BadRecipe) as caught:
        load_recipe(page(PAGE + "launch: by_hand\n"))
    assert "choose among" in caught.value.do and "cpu" in caught.value.do and "zero2" in caught.value.do


def test_set_overrides_one_value_at_a_time(page) -> None:
    overrides = ["trainer.max_steps=9", "seed=4", "data.mixture.0.weight=0.5", "eval.limit=2", "peft.r=4"]
    recipe = load_recipe(page(PAGE), overrides)
    assert recipe.trainer["max_steps"] == 9 and recipe.seed == 4 and recipe.peft == {"r": 4}
    assert recipe.data.mixture[0].weight == 0.5 and recipe.eval.limit == 2


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("max_steps", "KEY=VALUE"),
        ("trainer.max_step=1", "did you mean 'max_steps'"),
        ("data.mixture.5.cap=1", "nothing at 5"),
        ("seed.deep=1", "whole number"),
        ("trainer.seed=1", "top of the page"),
        ("seed=[1", "not YAML"),
    ],
)
def test_an_override_that_makes_no_sense_is_explained(page, override: str, message: str) -> None:
    with pytest.raises(BadRecipe) as caught:
        load_recipe(page(PAGE), [override])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("override", "where"),
    [
        ("rewards=[{reward: reading}]", "--set rewards"),
        ("data.mixture=[{corpus: emodb}]", "--set data.mixture"),
        ("trainer.learning_rate=fast", "--set trainer.learning_rate"),
        ("trainer.qwerty=1", "--set trainer.qwerty"),
    ],
)
def test_what_is_wrong_with_an_override_is_not_looked_for_on_the_page(page, override: str, where: str) -> None:
    with pytest.raises(BadRecipe) as caught:
        load_recipe(page(PAGE), [override])
    assert caught.value.where == where


def test_a_key_of_the_page_keeps_its_line_beside_an_override(page) -> None:
    file = page(PAGE + "seed: many\n")
    with pytest.raises(BadRecipe) as caught:
        load_recipe(file, ["trainer.max_steps=1"])
    assert caught.value.where == f"{file}:{line_of(PAGE + 'seed: many', 'seed')}"


def test_of_more_keys_than_are_listed_the_number_is_told(page) -> None:
    with pytest.raises(BadRecipe, match=r"known keys: .*, … and \d+ more"):
        load_recipe(page(PAGE), ["trainer.qwerty=1"])


@pytest.mark.parametrize("key", ["eval_strategy", "save_strategy", "logging_strategy"])
def test_no_is_the_word_where_a_field_takes_it(page, key: str) -> None:
    assert load_recipe(page(PAGE), [f"trainer.{key}=no"]).trainer[key] == "no"
    assert load_recipe(page(PAGE + f"  {key}: no\n")).trainer[key] == "no"
    with pytest.raises(BadRecipe, match=f"trainer.{key} must be str, not True(.|\\n)*quote"):
        load_recipe(page(PAGE), [f"trainer.{key}=yes"])


def test_model_tiny_stands_for_the_tiny_model_of_the_same_family(page) -> None:
    file = page(PAGE.replace("tiny:qwen2_5_omni", "Qwen/Qwen2.5-Omni-7B"))
    assert load_recipe(file).model.path == "Qwen/Qwen2.5-Omni-7B"
    assert load_recipe(file, ["model=tiny"]).model.path == "tiny:qwen2_5_omni"
    with pytest.raises(NotFound, match="qwen9"):
        load_recipe(page(PAGE.replace("qwen2_5_omni", "qwen9")), ["model=tiny"])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("seed: []", "seed has no values"),
        ("seed: [1, 1]", "would be called seed=1"),
        ("model.path: [a/b, a-b]", "path=a-b"),
    ],
)
def test_a_matrix_without_runs_or_with_two_in_one_folder_is_refused(page, values: str, message: str) -> None:
    with pytest.raises(BadRecipe, match=re.escape(message)):
        variants(page(PAGE + f"matrix: {{{values}}}\n"))


def test_a_value_of_a_matrix_that_fits_no_page_is_told_before_the_first_run(page) -> None:
    with pytest.raises(BadRecipe, match="learning_rate"):
        variants(page(PAGE + "matrix: {trainer.learning_rate: [1.0e-3, -1.0]}\n"))


def test_a_matrix_is_one_run_for_every_combination(page) -> None:
    text = PAGE + "matrix:\n  seed: [1, 2]\n  trainer.learning_rate: [1.0e-3, 1.01, 1.0e-5]\n"
    combinations = variants(page(text))
    assert len({suffix for suffix, _ in combinations}) == 6 and combinations[0][0] == "seed=1__learning_rate=0.001"
    recipes = [load_recipe(page(text), chosen) for _, chosen in combinations]
    assert {(r.seed, r.trainer["learning_rate"]) for r in recipes} == {
        (s, x) for s in (1, 2) for x in (1e-3, 1.01, 1e-5)
    }
    assert {r.matrix for r in recipes} == {None}
    lists = variants(page(PAGE + "matrix:\n  data.mixture.0.modalities: [[audio], [audio, text]]\n"))
    assert [suffix for suffix, _ in lists] == ["modalities=-audio-", "modalities=-audio-text-"]
    assert variants(page(PAGE), ["seed=3"]) == [("", ["seed=3"])]


@pytest.mark.parametrize("name", RECIPES)
def test_every_shipped_recipe_loads_as_it_is_and_with_the_tiny_model(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFFECTLLM_WHEELS", str(write_emotions(tmp_path)))  # which no one may ship
    recipe = load_recipe(name)
    tiny = load_recipe(name, ["model=tiny", "trainer.max_steps=1"])
    assert recipe.name == name and recipe.description
    assert tiny.model.path == f"tiny:{recipe.model.backbone}" and tiny.data == recipe.data
    assert launch_file(recipe.launch).is_file()
    assert set(recipe.eval.tasks) <= set(all_tasks())


@pytest.mark.parametrize("name", RECIPES)
def test_the_resolved_page_of_a_run_reads_the_same(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run keeps as recipe.yaml is a recipe again."""
    monkeypatch.setenv("AFFECTLLM_WHEELS", str(write_emotions(tmp_path)))
    from affectllm.train.stage import _write_page

    recipe = load_recipe(name)
    _write_page(recipe, tmp_path)
    again = load_recipe(str(tmp_path / "recipe.yaml"))
    assert {**again.to_json(), "name": name} == recipe.to_json()


MIXED = PAGE.replace(PAGE[PAGE.index("  mixture:") : PAGE.index("model:")], "  mixture: music\n  validation_rows: 7\n")


def test_a_mixture_may_be_named(page) -> None:
    recipe = load_recipe(page(MIXED))
    assert recipe.corpora() == ["mtg_jamendo", "deam", "pmemo", "emomusic"]
    assert (recipe.data.validation_rows, recipe.data.order, recipe.data.deduplicate) == (7, "shuffled", ("media",))
    assert recipe.data.mixture[0].template == "music_tags"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("mixture: music", "mixture: musik", "did you mean music"),
        ("mixture: music", "mixture: everything", "the backbone does not take video"),
        ("  validation_rows: 7", "  ordre: shuffled", "did you mean 'order'"),
        ("  validation_rows: 7", "  temperature: 0", "at least 0.1"),
    ],
)
def test_a_named_mixture_that_does_not_fit_is_explained(page, old: str, new: str, message: str) -> None:
    text = (
        MIXED.replace(old, new).replace("tiny:qwen2_5_omni", "tiny:qwen2_audio").replace("qwen2_5_omni", "qwen2_audio")
    )
    with pytest.raises(BadRecipe) as caught:
        load_recipe(page(text))
    assert message in str(caught.value) and f":{line_of(text, new.strip().partition(':')[0])}" in str(caught.value)


@pytest.mark.parametrize(("order", "strategy"), [("stages", "sequential"), ("shuffled", "group_by_length")])
def test_a_curriculum_is_trained_on_in_its_order(page, tmp_path: Path, order: str, strategy: str) -> None:
    from affectllm.train.arguments import arguments

    recipe = load_recipe(page(MIXED.replace("  validation_rows: 7", f"  order: {order}")))
    assert arguments(recipe, tmp_path).train_sampling_strategy == strategy


@pytest.mark.parametrize(
    ("trainer", "every"),
    [("eval_steps=125", 125), ("logging_steps=7", 7), ("save_steps=100", 100)],
)
def test_a_run_that_evaluates_every_so_many_steps_saves_as_often(
    page, tmp_path: Path, trainer: str, every: int
) -> None:
    from affectllm.train.arguments import arguments

    changes = ["trainer.eval_strategy=steps", "trainer.eval_steps=50", f"trainer.{trainer}"]
    if trainer.startswith("logging"):
        changes[1:2] = []
    args = arguments(load_recipe(page(MIXED), changes), tmp_path)
    assert (args.save_steps, args.save_strategy) == (every, "steps")


def test_what_only_the_library_can_refuse_is_explained_without_a_traceback(page, tmp_path: Path) -> None:
    from affectllm.train.arguments import arguments

    recipe = load_recipe(page(MIXED), ["trainer.eval_strategy=epoch", "trainer.save_strategy=steps"])
    with pytest.raises(BadRecipe, match="save and eval strategy"):
        arguments(recipe, tmp_path)
