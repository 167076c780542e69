#!/bin/sh
# Train {{ recipe }} on {{ machines }} machines with {{ processes }} processes each: sbatch FILE. Add account, partition, hours and memory.
# The run folder, the corpora and the environment lie in the same place on all machines.
#SBATCH --job-name=affectllm
#SBATCH --nodes={{ machines }}
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node={{ processes }}
#SBATCH --requeue
set -eu
{{ python }} -m affectllm.cli build {{ words }}
main=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
export main
# One launcher a machine; a job that is queued again goes on from its last checkpoint.
srun sh -c 'python=$1 page=$2; shift 2
exec "$python" -m accelerate.commands.launch --config_file "$page" --quiet \
  --num_machines {{ machines }} --num_processes {{ machines * processes }} --machine_rank "$SLURM_NODEID" \
  --main_process_ip "$main" --main_process_port {{ port }} \
  -m affectllm.train "$@"' launch {{ python }} {{ configuration }} {{ words }}
