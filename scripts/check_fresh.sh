#!/usr/bin/env bash
# Proves the two commands of the README on a machine that has nothing but git: makes a Debian root with debootstrap, clones
# this checkout's last commit into it and runs scripts/quickstart.sh and scripts/test.sh there.
# Usage: scripts/check_fresh.sh FOLDER [SUITE]      SUITE: bookworm (the default), or another with the same packages
#
# FOLDER takes 5 GB and is made anew; what was said stands in FOLDER/quickstart.log and FOLDER/test.log. Needs root, debootstrap,
# a network and half an hour on two cores. The root gets this machine's settings of apt and pip, so that mirrors go on serving.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

if [ $# -lt 1 ] || [ $# -gt 2 ]; then fail "expected a folder; see --help"; fi
folder=$(realpath -m "$1") suite="${2:-bookworm}"
fresh="$folder/root"
[ "$(id -u)" -eq 0 ] || fail "expected to be root, which debootstrap and chroot need"
has debootstrap || fail "debootstrap is missing: apt-get install debootstrap"
if [ -e "$fresh" ] && ! [ -e "$fresh/.made-by-check-fresh" ]; then fail "$fresh is there already and not of this script"; fi

unmount() { for place in proc dev; do umount -R "$fresh/$place" 2>/dev/null || true; done; }
trap unmount EXIT
unmount
rm -rf "$fresh"
mkdir -p "$fresh"
touch "$fresh/.made-by-check-fresh"
say "making a Debian $suite with git in $fresh"
debootstrap --variant=minbase --include=git "$suite" "$fresh" >"$folder/debootstrap.log" 2>&1 ||
  fail "debootstrap failed: see $folder/debootstrap.log"

# Where packages come from, and whom downloads trust.
for settings in /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d/99* /etc/pip.conf /etc/resolv.conf; do
  if [ -e "$settings" ]; then cp -rL --parents "$settings" "$fresh"; fi
done
kept=(HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
while IFS= read -r variable; do kept+=("$variable"); done < <(env | grep -iE '^(https?_proxy|no_proxy|pip_(index_url|extra_index_url))=' || true)
certificates=/etc/ssl/certs/ca-certificates.crt
if [ -e "$certificates" ]; then
  cp -L "$certificates" "$fresh/certificates.crt"
  for variable in PIP_CERT CURL_CA_BUNDLE SSL_CERT_FILE; do kept+=("$variable=/certificates.crt"); done
fi
mount -t proc proc "$fresh/proc"
mount --rbind /dev "$fresh/dev"
mount --make-rslave "$fresh/dev"

git clone -q "$root" "$fresh/work/labelprobe"
failed=0
for command in quickstart test; do
  say "running scripts/$command.sh in it"
  begin=$(date +%s)
  status=0
  env -i "${kept[@]}" chroot "$fresh" bash -c "cd /work/labelprobe && scripts/$command.sh" >"$folder/$command.log" 2>&1 || status=$?
  say "scripts/$command.sh ended with $status after $(($(date +%s) - begin)) s: $folder/$command.log"
  if [ "$status" -ne 0 ]; then failed=1; fi
done
exit "$failed"
