#!/bin/sh
# Train {{ recipe }} on {{ machines }} machines with {{ processes }} processes each. Start it on every one of them, with its number: sh FILE 0
# The run folder, the corpora and the environment lie in the same place on all. Build first, once, so that nobody waits:
#   {{ python }} -m affectllm.cli build {{ words }}
# Where machine 0 reaches the others by ssh without a password, put their names into the hostfile, remove --no_ssh and
# --node_rank, and start it there alone.
set -eu
machine=${1:?number of this machine, from 0}
hostfile=$(mktemp)
trap 'rm -f "$hostfile"' EXIT
cat > "$hostfile" <<'HOSTS'
{%- for number in range(machines) %}
{{ host if number == 0 else "machine%d" % number }} slots={{ processes }}
{%- endfor %}
HOSTS
{{ python }} -m deepspeed.launcher.runner --hostfile "$hostfile" --no_ssh --node_rank "$machine" \
  --master_addr {{ host }} --master_port {{ port }} --no_local_rank \
  --module affectllm.train {{ words }}
