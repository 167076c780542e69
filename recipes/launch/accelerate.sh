#!/bin/sh
# Train {{ recipe }} on {{ machines }} machines with {{ processes }} processes each. Start it on every one of them, with its number: sh FILE 0
# The run folder, the corpora and the environment lie in the same place on all. Build first, once, so that nobody waits:
#   {{ python }} -m affectllm.cli build {{ words }}
set -eu
machine=${1:?number of this machine, from 0}
exec {{ python }} -m accelerate.commands.launch --config_file {{ configuration }} --quiet \
  --num_machines {{ machines }} --num_processes {{ machines * processes }} --machine_rank "$machine" \
  --main_process_ip {{ host }} --main_process_port {{ port }} \
  -m affectllm.train {{ words }}
