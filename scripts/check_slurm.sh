#!/usr/bin/env bash
# Proves scripts/slurm/submit.sh on a real Slurm: starts munged, slurmctld and slurmd in a temporary folder with a configuration of
# their own, one node for each of four tasks on this machine, and stops them at the end. An array of 4 shards of which one is killed
# and one is put back into the queue ends in the same bytes as one process. Needs root.
# Usage: scripts/check_slurm.sh [--install] [--keep]
#   --install   installs Debian's slurm-wlm and munge first
#   --keep      leaves the temporary folder, and says where it is
# LABELPROBE names another program. Exit code 77: it cannot be tried here.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

keep=0 install=0
for argument in "$@"; do
  case "$argument" in
    --install) install=1 ;;
    --keep) keep=1 ;;
    *) fail "unknown option '$argument' (--help lists them)" ;;
  esac
done
skip() {
  say "SKIPPED: $*"
  exit 77
}
[ "$(id -u)" = 0 ] || skip "only root can start a Slurm of its own"
if [ "$install" = 1 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends slurm-wlm munge >&2
fi
for program in munged slurmctld slurmd sbatch squeue scontrol; do
  has "$program" || skip "$program is not installed (--install installs Debian's slurm-wlm and munge)"
done
labelprobe="${LABELPROBE:-$build/labelprobe}"
[ -x "$labelprobe" ] || fail "$labelprobe: expected the program, found none; run scripts/build.sh"

folder=$(mktemp -d /tmp/labelprobe_slurm.XXXXXX)
chmod 755 "$folder"
pids=()
stop() {
  local pid file
  for file in "$folder"/slurmd.*.pid "$folder"/slurmctld.pid "$folder"/munged.pid; do
    [ ! -e "$file" ] || pids+=("$(cat "$file")")
  done
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do
    for _ in $(seq 100); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
  done
  if [ "$keep" = 1 ]; then say "left in $folder"; else rm -rf "$folder"; fi
}
trap stop EXIT

host=$(hostname -s)
mapfile -t ports < <(python3 -c 'import socket
sockets = [socket.socket() for _ in range(6)]
for s in sockets: s.bind(("127.0.0.1", 0))
for s in sockets: print(s.getsockname()[1])')
mkdir "$folder/state"
# A slurmd for each node, where it was built for that; else one node with a CPU for each task.
if grep -qa 'MULTIPLE_SLURMD\|multiple-slurmd\|Multiple slurmd' "$(command -v slurmd)" || slurmd -h 2>&1 | grep -q -- '-N '; then nodes=4; else nodes=1; fi
{
  echo "ClusterName=labelprobe"
  echo "SlurmctldHost=$host(127.0.0.1)"
  echo "SlurmctldPort=${ports[0]}"
  echo "SlurmUser=root"
  echo "AuthType=auth/munge"
  echo "AuthInfo=socket=$folder/munge.socket,cred_expire=5"
  echo "CredType=cred/munge"
  echo "ProctrackType=proctrack/linuxproc"
  echo "TaskPlugin=task/none"
  echo "SwitchType=switch/none"
  echo "MpiDefault=none"
  echo "SelectType=select/cons_tres"
  echo "SelectTypeParameters=CR_CPU"
  echo "ReturnToService=2"
  echo "KillWait=10"
  echo "StateSaveLocation=$folder/state"
  echo "SlurmdSpoolDir=$folder/spool.%n"
  echo "SlurmctldPidFile=$folder/slurmctld.pid"
  echo "SlurmdPidFile=$folder/slurmd.%n.pid"
  echo "SlurmctldLogFile=$folder/slurmctld.log"
  echo "SlurmdLogFile=$folder/slurmd.%n.log"
  echo "AccountingStorageType=accounting_storage/none"
  echo "JobAcctGatherType=jobacct_gather/none"
  echo "SchedulerParameters=sched_interval=2,batch_sched_delay=1"
  echo "PreemptMode=REQUEUE"
  echo "PreemptType=preempt/partition_prio"
  if [ "$nodes" = 4 ]; then
    for i in 1 2 3 4; do
      echo "NodeName=node$i NodeHostname=$host NodeAddr=127.0.0.1 Port=${ports[$i]} CPUs=1 State=UNKNOWN"
    done
  else
    echo "SlurmdParameters=config_overrides"
    echo "NodeName=$host NodeHostname=$host NodeAddr=127.0.0.1 Port=${ports[1]} CPUs=4 State=UNKNOWN"
  fi
  echo "PartitionName=low Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=0"
  echo "PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF"
} >"$folder/slurm.conf"
export SLURM_CONF=$folder/slurm.conf
export SLURM_POLL_SECONDS=1

dd if=/dev/urandom of="$folder/munge.key" bs=1024 count=1 status=none
chmod 600 "$folder/munge.key"
munged --force --key-file "$folder/munge.key" --socket "$folder/munge.socket" --pid-file "$folder/munged.pid" \
  --log-file "$folder/munged.log" --seed-file "$folder/munge.seed" 2>>"$folder/munged.err"
slurmctld -c 2>>"$folder/slurmctld.err"
if [ "$nodes" = 4 ]; then
  for i in 1 2 3 4; do slurmd -N "node$i" 2>>"$folder/slurmd.err"; done
else
  say "this slurmd cannot run several times on one machine: one node with four CPUs takes the place of four"
  slurmd 2>>"$folder/slurmd.err"
fi
for _ in $(seq 60); do
  [ "$(sinfo --noheader --Node --partition low --states idle --format %N 2>/dev/null | sort -u | wc -l)" = "$nodes" ] && break
  sleep 0.5
done
sinfo --Node --long >&2
[ "$(sinfo --noheader --Node --partition low --states idle --format %N | sort -u | wc -l)" = "$nodes" ] ||
  fail "the nodes did not come up: $(tail -n 5 "$folder"/*.log "$folder"/*.err)"

# The tiny model of the tests; every pair of labels is a question of its own, computed one by one, so that there is time to disturb.
arguments=(run GoEmotions --config "$root/configs/example/config.yaml" --root-dir "$root/configs/example"
  --emotion-clustering-json "$root/configs/example/emotion_clustering.json"
  --model-name-or-path "$root/tests/fixtures/e2e/model" --device cpu --threads 1 --batch-size 1 --distribution binary
  --alternative-experiment-name check --disable-tqdm)
n_items=$(tail -n +1 "$root/configs/example/dev.tsv" | wc -l)
cd "$folder"

# start NAME SHARDS: submits the array of a run whose logs go to NAME.
start() {
  name=$1 shards=$2
  "$root/scripts/slurm/submit.sh" --shards "$shards" --partition low --folder "$folder/$name.slurm" --no-wait --local-copy "$folder/disk" \
    -- "$labelprobe" "${arguments[@]}" --log-root "$name"
  job=$(cut -d';' -f1 "$folder/$name.slurm/job.id")
}

# Waits until the shard has some items, and says so.
wait_for_items() {
  local journals=("$folder/$name"/GoEmotions/check.shards-*/"shard_$1_of_$shards/journal.jsonl")
  for _ in $(seq 6000); do
    journals=("$folder/$name"/GoEmotions/check.shards-*/"shard_$1_of_$shards/journal.jsonl")
    if [ -e "${journals[0]}" ] && [ "$(wc -l <"${journals[0]}")" -ge 2 ]; then
      say "shard $1 of $shards has $(wc -l <"${journals[0]}") items: $2"
      return
    fi
    sleep 0.01
  done
  fail "shard $1 of $shards has no items: $(tail -n 20 "$folder/$name.slurm"/*.log)"
}

# The process of a shard.
pid_of() {
  local process
  for process in /proc/[0-9]*; do
    [ "$(readlink "$process/exe")" = "$(readlink -f "$labelprobe")" ] || continue
    [[ $(tr '\0' ' ' <"$process/cmdline") != *"--log-root $name "*"--shard $1/$shards"* ]] || basename "$process"
  done 2>/dev/null | head -n 1
}

# Follows the array to its end, and holds its files against those of one process.
end() {
  "$root/scripts/slurm/submit.sh" --follow "$folder/$name.slurm"
  local of_array="$folder/$name/GoEmotions/check_0" file
  [ -z "$(find "$folder/$name" -name '*.shards-*')" ] || fail "shards are left in $folder/$name"
  for file in $(cd "$folder/one/GoEmotions/check_0" && find . -type f | sort); do
    case "$file" in ./log.txt | ./.lock*) continue ;; esac
    if [ "$file" = ./params.yml ] || [ "$file" = ./manifest.json ]; then
      # They name the log root. The manifest has the checksum of the file that does, and ends with its own, which
      # `runs --verify` checks.
      python3 - "$folder/one/GoEmotions/check_0/$file" "$of_array/$file" "$name" <<'PYTHON'
import re, sys
one, other = (open(path, encoding="utf-8").read() for path in sys.argv[1:3])
other = re.sub(rf'(log_root"?: "?){sys.argv[3]}\b', r"\1one", other)
if sys.argv[1].endswith("manifest.json"):
    one, other = (re.sub(r'"params.yml": \{[^}]*\}|"xxh3": "[0-9a-f]+"\s*\}\s*$', "", text) for text in (one, other))
sys.exit(one != other)
PYTHON
    else
      cmp "$folder/one/GoEmotions/check_0/$file" "$of_array/$file"
    fi || fail "$of_array/$file differs from that of one process"
  done
  "$labelprobe" runs "$folder/$name" --verify >&2
  say "$name: all files of $shards shards are those of one process"
}

say "one process"
"$labelprobe" "${arguments[@]}" --log-root one --quiet

start four 4
wait_for_items 2 "its process is killed"
kill -KILL "$(pid_of 2)"
wait_for_items 3 "its task is put back into the queue"
scontrol requeue "${job}_3"
wait_for_items 4 "another job of a higher priority takes its node"
node=$(squeue --noheader --array --jobs "${job}_4" --format %N)
sbatch --parsable --partition high --nodelist "$node" --output /dev/null --wrap "sleep 3" >/dev/null
end

start two 2
wait_for_items 1 "its script is told to stop, as before a time limit"
scancel --signal=TERM --batch "${job}_1"
wait_for_items 2 "it is killed with the script of its task"
pid=$(pid_of 2)
kill -KILL "$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")" "$pid"
end

say "what a person cancels stays so, and goes on when it is submitted again"
start cancelled 2
wait_for_items 1 "the array is cancelled"
wait_for_items 2 "the array is cancelled"
scancel "$job"
set +e
"$root/scripts/slurm/submit.sh" --follow "$folder/$name.slurm"
code=$?
set -e
[ "$code" = 143 ] || fail "expected exit code 143 of an array that was cancelled, found $code"
rm -r "$folder/$name.slurm"
start cancelled 2
end

say "what fails is said, and the array ends with its exit code"
arguments+=(--shot 100000)
start failing 2
set +e
"$root/scripts/slurm/submit.sh" --follow "$folder/failing.slurm"
code=$?
set -e
[ "$code" = 2 ] || fail "expected exit code 2 of an array whose shards fail with it, found $code"
say "all of it is as it should be ($n_items examples, $nodes nodes)"
