# What the scripts of this folder share; sourced by them, never run.
# shellcheck shell=bash disable=SC2034  # the variables are read by those who source this file

# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

sets="SemEval GoEmotions MFRC Hatexplain MSPPodcast"
log_root="${LOG_ROOT:-./logs}/DEMUX"

program_path() {
  local path="${LABELPROBE:-$build/labelprobe}"
  [ -x "$path" ] || fail "no program $path: build it with scripts/build.sh, or name one in LABELPROBE"
  printf '%s\n' "$path"
}

check_set() {
  case " $sets " in
    *" $1 "*) ;;
    *) fail "unknown data set '$1' (known: ${sets// /, })" ;;
  esac
}
