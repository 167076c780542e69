#!/bin/sh
# Train {{ recipe }} on {{ machines }} machines with {{ processes }} processes each. Start it on every one of them, with its number: sh FILE 0
# The run folder, the corpora and the environment lie in the same place on all. Build first, once, so that nobody waits:
#   {{ python }} -m affectllm.cli build {{ words }}
# The processes read the sharding and precision of the recipe's launch page themselves.
set -eu
machine=${1:?number of this machine, from 0}
exec {{ python }} -m torch.distributed.run --nnodes {{ machines }} --nproc-per-node {{ processes }} --node-rank "$machine" \
  --master-addr {{ host }} --master-port {{ port }} \
  -m affectllm.train {{ words }}
