# Makes a Debian root to try things in where nothing is installed; sourced by scripts, never run. Needs lib.sh, root, debootstrap
# and a network. The root gets this machine's settings of apt and pip, so that mirrors go on serving.
# shellcheck shell=bash disable=SC2154  # lib.sh has the rest

# make_fresh_root FOLDER SUITE PACKAGE: a Debian with one package more than the least in FOLDER/root, made anew; sets fresh_root.
# What was said stands in FOLDER/debootstrap.log.
make_fresh_root() {
  local folder="$1" suite="$2" package="$3" settings variable
  fresh_root="$folder/root"
  [ "$(id -u)" -eq 0 ] || fail "expected to be root, which debootstrap and chroot need"
  has debootstrap || fail "debootstrap is missing: apt-get install debootstrap"
  if [ -e "$fresh_root" ] && ! [ -e "$fresh_root/.made-for-a-check" ]; then fail "$fresh_root is there already and not of a check"; fi
  trap leave_fresh_root EXIT
  leave_fresh_root
  rm -rf "$fresh_root"
  mkdir -p "$fresh_root"
  touch "$fresh_root/.made-for-a-check"
  say "making a Debian $suite with $package in $fresh_root"
  debootstrap --variant=minbase --include="$package" "$suite" "$fresh_root" >"$folder/debootstrap.log" 2>&1 ||
    fail "debootstrap failed: see $folder/debootstrap.log"

  # Where packages come from, and whom downloads trust.
  for settings in /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d/99* /etc/pip.conf /etc/resolv.conf; do
    if [ -e "$settings" ]; then cp -rL --parents "$settings" "$fresh_root"; fi
  done
  fresh_variables=(HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
  while IFS= read -r variable; do fresh_variables+=("$variable"); done \
    < <(env | grep -iE '^(https?_proxy|no_proxy|pip_(index_url|extra_index_url))=' || true)
  local certificates=/etc/ssl/certs/ca-certificates.crt
  if [ -e "$certificates" ]; then
    cp -L "$certificates" "$fresh_root/certificates.crt"
    for variable in PIP_CERT CURL_CA_BUNDLE SSL_CERT_FILE; do fresh_variables+=("$variable=/certificates.crt"); done
  fi
  mount -t proc proc "$fresh_root/proc"
  mount --rbind /dev "$fresh_root/dev"
  mount --make-rslave "$fresh_root/dev"
}

leave_fresh_root() {
  local place
  for place in proc dev; do umount -R "$fresh_root/$place" 2>/dev/null || true; done
}

# in_fresh_root WORDS..: runs them in a shell of the root.
in_fresh_root() { env -i "${fresh_variables[@]}" chroot "$fresh_root" bash -c "$*"; }
