#!/bin/sh
# debian_root.sh SUITE - prints the folder of a small Debian with NUT, without our package
#
# Promises: made once, by mmdebstrap from the machine's own mirror, and kept in build/. Holds
# nut-client and nut-server as apt installs them, systemd to be booted, and NUT's packages in
# apt's cache, so that they can be installed again without a network. Changes nothing else.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
suite=$1
root=$top/build/deb/root/$suite

mkdir -p "${root%/*}"
exec 9>"$root.lock"
flock 9
[ ! -e "$root.done" ] || { echo "$root"; exit 0; }

mirror=$(apt-get indextargets --format "\$(RELEASE) \$(REPO_URI)" 'Created-By: Packages' |
	awk '$1 !~ /[-\/]/ { print $2; exit }')
[ -n "$mirror" ] || { echo "debian_root.sh: the machine's apt names no Debian mirror" >&2; exit 1; }

rm -rf --one-file-system "$root"
# Nobody needs this to survive a power cut, nor in another language.
# shellcheck disable=SC2016 # $1 is mmdebstrap's
mmdebstrap --variant=apt --mode=root --include=adduser,nut-client,nut-server,systemd-sysv \
	--dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/locale/*' \
	--aptopt='Acquire::Languages "none"' --skip=cleanup/apt \
	--customize-hook='chroot "$1" apt-get -q -y --download-only --reinstall install nut-client nut-server' \
	"$suite" "$root" \
	"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >&2 9>&-
: >"$root.done"
echo "$root"
