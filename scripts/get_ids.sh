#!/usr/bin/env bash
# Gets the published id lists, which say on which examples the paper's numbers rest, from their authors' repository.
# Usage: scripts/get_ids.sh [SET...] [--from DIR_OR_URL] [--to FOLDER]
#
#   SET       GoEmotions, Hatexplain, MFRC, MSPPodcast, SemEval (default: all of them)
#   --from    a folder, or the beginning of a URL, that holds the same files: SET/LIST.txt
#   --to      where the lists go (default: prob_distr_ids); labelprobe table looks there
#
# A list gets its name only when it has the expected SHA-256; one that is there already is checked and kept. The lists stay
# their authors' (gchochla/LLM-multilabel-differently, which states no licence).
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

lists=(
  GoEmotions/main_test_set:6fcb83426f13c952310b5e721660d752e3b64046cb7439504ebf87ca6ae41a7f
  GoEmotions/big_multilabel:64653a5f3a3c58a5eaa514b984faa84f82cbe6a20991aad1fe5ea61608895e4b
  Hatexplain/main_test_set:4b53acd879c3cf0bb797b5533789022e1c2c3f8bb3688d391a96c18593b86179
  MFRC/main_test_set:7ab96dfa1903770e92d3166fb5aede39e85fc0772a52a1b257645aec28552ff9
  MFRC/big_multilabel:0b70630e71940687d5e2ad0978fe2a8d47df49d396d95a858ff9ea9a3e02908c
  MSPPodcast/main_test_set:ca6ffacc567c1fa412f143cf84e50d0289de1343168b34a71ee5a8c2dabd6362
  SemEval/main_test_set:c33151f08de49e53e36b663cbc8e6b204d928f977a6f093cbe77ae2ff1294b6f
)
from=https://raw.githubusercontent.com/gchochla/LLM-multilabel-differently/HEAD/prob_distr_ids
to="$root/prob_distr_ids" sets=()
while [ $# -gt 0 ]; do
  case "$1" in
    --from | --to)
      [ -n "${2:-}" ] || fail "$1: expected a value; see --help"
      if [ "$1" = --from ]; then from="${2%/}"; else to="${2%/}"; fi
      shift 2
      ;;
    -*) fail "unknown flag '$1' (known: --from, --to, --help)" ;;
    *) sets+=("$1") && shift ;;
  esac
done
for set in "${sets[@]}"; do
  [[ " ${lists[*]}" == *" $set/"* ]] ||
    fail "no published lists of '$set' (known: GoEmotions, Hatexplain, MFRC, MSPPodcast, SemEval)"
done

is_asked() { [ ${#sets[@]} -eq 0 ] || [[ " ${sets[*]} " == *" $1 "* ]]; }

sum_of() {
  local sum
  sum=$(sha256sum <"$1")
  printf '%s\n' "${sum%% *}"
}

failed=0
for list in "${lists[@]}"; do
  name="${list%%:*}" wanted="${list##*:}"
  is_asked "${name%%/*}" || continue
  file="$to/$name.txt"
  part="$file.part"
  if [ -e "$file" ]; then
    if [ "$(sum_of "$file")" != "$wanted" ]; then
      say "$file is there, but is not the published list: move it away to have that"
      failed=1
    fi
    continue
  fi
  mkdir -p "$(dirname "$file")"
  if [[ "$from" =~ ^[a-z]+:// ]]; then
    curl --fail --location --silent --show-error --connect-timeout 20 --retry 3 --output "$part" "$from/$name.txt" ||
      fail "$from/$name.txt could not be downloaded (curl's message is above); a copy is taken with --from"
  elif [ -f "$from/$name.txt" ]; then
    cp "$from/$name.txt" "$part"
  else
    say "$from has no file $name.txt"
    failed=1
    continue
  fi
  found=$(sum_of "$part")
  if [ "$found" != "$wanted" ]; then
    rm -f "$part"
    say "$from/$name.txt: expected SHA-256 $wanted, found $found"
    failed=1
    continue
  fi
  mv "$part" "$file"
  say "$file is there and checked"
done
exit "$failed"
