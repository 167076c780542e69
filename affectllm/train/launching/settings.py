"""What a launch page says of precision and sharding, for processes that another launcher than accelerate's started."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from affectllm.train.recipe import launch_file

_OURS = ("ACCELERATE_", "FSDP_", "PARALLELISM_CONFIG_")


def take_settings(configuration: str) -> None:
    """Put the settings of a launch page into this process's environment, where its launcher has not.

    ``torchrun``, ``deepspeed`` and ``srun`` say which process this is and how many there are, and nothing else; without
    the page each of them would hold the whole model.
    """
    if "WORLD_SIZE" in os.environ and "ACCELERATE_MIXED_PRECISION" not in os.environ:
        os.environ.update(settings_of(launch_file(configuration)))


def settings_of(file: Path) -> Mapping[str, str]:
    """Return the variables by which accelerate's own launcher tells its processes what a launch page says."""
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils.launch import prepare_deepspeed_cmd_env, prepare_multi_gpu_env

    words = ["--config_file", str(file), "--main_process_port", "0", "-m", "affectllm.train"]
    page, _, _ = _validate_launch_command(launch_command_parser().parse_args(words))
    if page.use_deepspeed:
        page.deepspeed_fields_from_accelerate_config = []  # the launcher's own note of where a value came from
        variables = prepare_deepspeed_cmd_env(page)[1]
    else:
        variables = prepare_multi_gpu_env(page)
    return {name: value for name, value in variables.items() if name.startswith(_OURS)}
