#!/usr/bin/env bash
# Gets a data set from its own publisher into a folder, as labelprobe reads it, and checks every file.
# Usage: scripts/get_data.sh DATASET DIR [--from DIR_OR_URL] [--aggregate-only] [--unchecked]
#
#   DATASET   GoEmotions, Hatexplain, MFRC, TREC, MMLUPro; with --from also SemEval, MSPPodcast, Boxes, QueerReclaimLex,
#             which are under a licence or behind a password: without it their names say where to ask
#   DIR       the data set's own folder, e.g. data/GoEmotions; made if missing
#   --from    a folder, or the beginning of a URL, that holds the same files under the same names: a mirror, or files that
#             you were given
#   --aggregate-only   GoEmotions: without the annotators' files, which only votes and alignment need
#   --unchecked        take files of other versions: sizes and sums are compared and told, not demanded
#
# Where the publisher's sizes and SHA-256 sums are known a file must have them, and an interrupted download is taken up
# where it stopped. Elsewhere the file's format is checked. A file gets its name only when it is whole and checked; one
# that is there already is checked and kept. Every file is looked at before the script ends, and told by name if it is
# missing or another.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

dataset="" dir="" from="" aggregate_only="" unchecked=""
while [ $# -gt 0 ]; do
  case "$1" in
    --from)
      from="${2:-}"
      [ -n "$from" ] || fail "--from: expected a folder or the beginning of a URL"
      shift 2
      ;;
    --aggregate-only) aggregate_only=1 && shift ;;
    --unchecked) unchecked=1 && shift ;;
    -*) fail "unknown flag '$1' (known: --from, --aggregate-only, --unchecked, --help)" ;;
    *)
      if [ -z "$dataset" ]; then dataset="$1"; elif [ -z "$dir" ]; then dir="$1"; else fail "too many arguments: '$1'"; fi
      shift
      ;;
  esac
done
if [ -z "$dataset" ] || [ -z "$dir" ]; then fail "expected a data set and the folder for it; see --help"; fi
from="${from%/}"

python="${PYTHON:-python3}"
has "$python" || fail "no program $python: install python3, or name another Python in PYTHON"

is_url() { [[ "$1" =~ ^[a-z]+:// ]]; }

bytes_of() { stat -c %s "$1" 2>/dev/null || printf '0\n'; }

problems=() # of all files, a sentence each

add_problem() {
  problems+=("$*")
  say "$*"
}

# problem FILE BYTES SHA256 FORMAT: says what is wrong with a file; silent if nothing is.
problem() {
  local sum said
  if [ "$2" != - ]; then
    if [ "$(bytes_of "$1")" != "$2" ]; then
      printf 'expected %s bytes, found %s\n' "$2" "$(bytes_of "$1")"
      return
    fi
    sum=$(sha256sum <"$1")
    if [ "${sum%% *}" != "$3" ]; then printf 'expected SHA-256 %s, found %s\n' "$3" "${sum%% *}"; fi
  else
    # A check that breaks down says nothing on stdout: that is no approval.
    said=$("$python" "$root/scripts/check_data_file.py" "$4" "$1") ||
      printf '%s\n' "${said:-its format could not be checked (message above)}"
  fi
}

# download URL FILE [resume]: exit code of curl; with `resume` it goes on after the bytes that are there.
download() {
  local flags=(--fail --location --show-error --connect-timeout 20 --speed-limit 1 --speed-time 60 --retry 3)
  if [ -t 2 ]; then flags+=(--progress-bar); else flags+=(--silent); fi
  if [ "${3:-}" = resume ]; then flags+=(--continue-at -); else rm -f "$2"; fi
  curl "${flags[@]}" --output "$2" "$1"
}

# fetch URL FILE BYTES: the whole file. What is there of an earlier call is used only if a sum can tell afterwards that
# the parts belong together; a server that cannot go on in the middle is asked for all of it.
fetch() {
  local url="$1" part="$2" n_bytes="$3" n_there
  n_there=$(bytes_of "$part")
  if [ "$n_bytes" != - ] && [ "$n_there" -gt 0 ]; then
    if [ "$n_there" -eq "$n_bytes" ]; then return; fi
    if [ "$n_there" -lt "$n_bytes" ]; then
      say "going on with $url after $n_there bytes"
      # 33: the server sends whole files only; 36: it cannot go on there
      download "$url" "$part" resume 2>/dev/null && return
    fi
  fi
  say "getting $url"
  local status=0
  download "$url" "$part" || status=$?
  case "$status" in
    0) ;;
    22) # the server has no such file
      rm -f "$part"
      add_problem "$url could not be downloaded (curl's message is above)"
      return 1
      ;;
    *) fail "$url could not be downloaded (curl's message is above). What has come so far is kept in $part; behind a proxy" \
      "set https_proxy, or name a mirror with --from" ;;
  esac
}

# accepts WHERE PROBLEM: whether a file with the problem is taken all the same.
accepts() {
  if [ -z "$2" ]; then return; fi
  if [ -n "$unchecked" ]; then
    say "$1 is another file than its publisher's: $2; taken, as --unchecked asks"
    return
  fi
  add_problem "$1: $2 (--unchecked takes it as it is)"
  return 1
}

# get PATH URL BYTES SHA256 FORMAT: one file; BYTES and SHA256 are - where they are not known.
get() {
  local path="$1" url="$2" target="$dir/$1" part="$dir/$1.part" wrong
  shift 2
  if [ -e "$target" ]; then
    wrong=$(problem "$target" "$@")
    if [ -n "$wrong" ]; then wrong="$wrong. Move it away to have it fetched anew"; fi
    accepts "$target is there, but" "$wrong" || true
    return
  fi
  mkdir -p "$(dirname "$target")"
  if [ -n "$from" ] && ! is_url "$from"; then
    if ! [ -f "$from/$path" ]; then
      add_problem "$from has no file $path"
      return
    fi
    cp "$from/$path" "$part"
    url="$from/$path"
  else
    if [ -n "$from" ]; then url="$from/$path"; fi
    has curl || fail "curl is missing: apt-get install curl"
    local n_before
    n_before=$(bytes_of "$part")
    fetch "$url" "$part" "$1" || return 0
    if [ "$n_before" -gt 0 ] && [ -n "$(problem "$part" "$@")" ]; then
      say "the parts of $path do not fit together; getting it anew"
      rm -f "$part"
      fetch "$url" "$part" "$1" || return 0
    fi
  fi
  wrong=$(problem "$part" "$@")
  if ! accepts "$url" "$wrong"; then
    rm -f "$part"
    return
  fi
  mv "$part" "$target"
  if [ "$1" = - ]; then say "$target: its format was checked; its publisher's sum is not known here"; fi
}

has_source() {  # has_source PATH: whether --from holds the file
  if is_url "$from"; then curl --fail --silent --location --head "$from/$1" >/dev/null; else [ -f "$from/$1" ]; fi
}

licence() { say "licence: $*"; }

only_with_from() {
  [ -n "$from" ] || fail "$dataset is not fetched: $*. With the files at hand: $0 $dataset $dir --from FOLDER"
}

# Sizes and sums as Hugging Face's and TensorFlow's data set libraries recorded them when they fetched the files.
goemotions() {
  local data=https://raw.githubusercontent.com/google-research/google-research/master/goemotions/data
  local raw=https://storage.googleapis.com/gresearch/goemotions/data/full_dataset
  licence "Apache-2.0 (google-research). The texts are Reddit comments; the raw files name their public authors"
  # The seven clusters of the paper are not Google's: they come with this program.
  mkdir -p "$dir"
  [ -e "$dir/emotion_clustering.json" ] || cp "$root/configs/example/emotion_clustering.json" "$dir/"
  get train.tsv $data/train.tsv 3519053 1c254a142be5c00e80d819b9ae1bbd36d94b2eeb8f4b1271846508d57e57d9c5 -
  get dev.tsv $data/dev.tsv 439059 575489c079c9de1097062a01738f998590d6b7ead66dd1c9fd1d2ba01fd8bc62 -
  get test.tsv $data/test.tsv 436706 0587b2dd8b27b97352adbfc3fb083d46005c8946657fdc2b1ca8b1cc7f1f8be4 -
  get emotions.txt $data/emotions.txt - - goemotions-emotions
  if [ -n "$aggregate_only" ]; then
    say "the annotators' files goemotions_1.csv to goemotions_3.csv are left out: votes and alignment need them"
    return
  fi
  get goemotions_1.csv $raw/goemotions_1.csv 14174600 cac049036bad5d68d1081f72b65f2cc51e4df82af05e3e22cfa747051cac1af3 -
  get goemotions_2.csv $raw/goemotions_2.csv 14173154 f699ecc5aa425c1720c1d02475f1e41815244b680bd75b282eb770d2c76cd84d -
  get goemotions_3.csv $raw/goemotions_3.csv 14395164 467f1e7191af00f2e76cc7f425885c2dc304bea8aff284b10e8c460d22f2e1af -
}

hatexplain() {
  local data=https://raw.githubusercontent.com/hate-alert/HateXplain/master/Data
  licence "MIT (hate-alert/HateXplain). The posts are hateful and offensive"
  get post_id_divisions.json $data/post_id_divisions.json 591921 \
    c2fb0d89862e7897b11ea3e9380753f15a793482b4b70ad0532dfb1212212835 -
  get dataset.json $data/dataset.json 12256170 63bb3340fee0ec469b09690d04cb68f7c187787dd8b83807f071892c084967fb -
}

mfrc() {
  licence "CC BY (Moral Foundations Reddit Corpus, its card on Hugging Face); splits: gchochla/LLM-multilabel-differently"
  get splits.yaml https://raw.githubusercontent.com/gchochla/LLM-multilabel-differently/HEAD/configs/MFRC/splits.yaml \
    4067026 0790c7cb1c44b69f3cae0694f46d7e256fa0e32c75bec244ba24752dccad8f3c -
  get final_mfrc_data.csv https://huggingface.co/datasets/USC-MOLA-Lab/MFRC/resolve/main/final_mfrc_data.csv - - mfrc
}

trec() {
  local data=https://cogcomp.seas.upenn.edu/Data/QA/QC
  licence "none stated (Li and Roth, 2002)"
  get train_5500.label $data/train_5500.label 335858 9e4c8bdcaffb96ed61041bd64b564183d52793a8e91d84fc3a8646885f466ec3 -
  get TREC_10.label $data/TREC_10.label 23354 033f22c028c2bbba9ca682f68ffe204dc1aa6e1cf35dd6207f2d4ca67f0d0e8e -
}

mmlu_pro() {
  local split parquet
  licence "MIT (TIGER-Lab/MMLU-Pro, its card on Hugging Face)"
  for split in validation test; do
    if [ -e "$dir/$split.jsonl" ] || { [ -n "$from" ] && has_source $split.jsonl; }; then
      get $split.jsonl - - - mmlu-$split
      continue
    fi
    parquet=data/$split-00000-of-00001.parquet
    get $parquet https://huggingface.co/datasets/TIGER-Lab/MMLU-Pro/resolve/main/$parquet - - parquet
  done
}

semeval() {
  only_with_from "its terms of use say 'Do not redistribute the data'; get SemEval-2018 task 1 E-c from its organisers," \
    "https://competitions.codalab.org/competitions/17751"
  licence "terms of use of the National Research Council Canada: do not redistribute"
  local part
  for part in train dev test-gold; do get English/E-c/2018-E-c-En-$part.txt - - - semeval; done
}

msp_podcast() {
  only_with_from "it is under a licence agreement with its makers, to be asked for at" \
    "https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Podcast.html (release 1.11)." \
    "transcripts.csv (columns id,text) is to be made from its folder of transcripts"
  licence "your agreement with the MSP lab"
  get transcripts.csv - - - msp-transcripts
  get Labels/labels_detailed.csv - - - msp-detailed
  get Labels/labels_consensus.csv - - - msp-consensus
}

boxes() {
  only_with_from "its authors publish it as an archive with a password," \
    "https://github.com/sebschu/entity-tracking-lms (data/boxes-dataset-v1.zip; the README has the password), so that the" \
    "files stay out of training data. Unpack it yourself and keep the files out of repositories"
  licence "none stated; its authors ask that the unpacked files stay out of repositories"
  get objects.txt - - - boxes-objects
  local part subset
  for subset in few_shot_boxes_nso_exp2_max3 few_shot_boxes_nso_exp2_max3_move_contents; do
    for part in train-subset dev test-subsample-states; do get $subset/$part-t5.jsonl - - - boxes; done
  done
}

queer_reclaim_lex() {
  only_with_from "it has no licence or terms of use, and its annotators' workbooks are not public; ask its authors," \
    "https://github.com/rebedorn/QueerReclaimLex"
  licence "none stated. The texts hold slurs"
  get balanced-splits.json - - - queer-splits
  get QueerReclaimLex.csv - - - queer-csv
  get Annotations/Annotator1.xlsx - - - queer-xlsx
  get Annotations/Annotator2.xlsx - - - queer-xlsx
}

if [ -n "$aggregate_only" ] && [ "${dataset,,}" != goemotions ]; then
  fail "--aggregate-only: expected with GoEmotions, whose annotators have files of their own; $dataset needs all of its files"
fi
case "${dataset,,}" in
  goemotions) goemotions ;;
  hatexplain) hatexplain ;;
  mfrc) mfrc ;;
  trec) trec ;;
  mmlupro | mmlu-pro) mmlu_pro ;;
  semeval) semeval ;;
  msppodcast | msp-podcast) msp_podcast ;;
  boxes) boxes ;;
  queerreclaimlex) queer_reclaim_lex ;;
  *) fail "unknown data set '$dataset' (known: GoEmotions, Hatexplain, MFRC, TREC, MMLUPro, SemEval, MSPPodcast, Boxes," \
    "QueerReclaimLex)" ;;
esac
if [ ${#problems[@]} -gt 0 ]; then
  say "$dataset is not whole in $dir:"
  printf '  %s\n' "${problems[@]}" >&2
  exit 1
fi
say "$dataset is whole in $dir"
