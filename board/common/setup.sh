#!/bin/sh
# setup.sh PACKAGE... - installs those of the named Debian packages that are missing.
#
# Promises: says nothing, asks nobody and takes a blink when all are there. Otherwise
# it installs as root or through sudo; where neither can be had it names what is
# missing and exits 1. It starts no service.
set -eu

missing_of() {
	# One dpkg-query for all of them: it lists the known ones and complains about the rest.
	installed=$(dpkg-query -W -f '<${db:Status-Status} ${Package}>' "$@" 2>/dev/null || true)
	for package in "$@"; do
		case $installed in *"<installed $package>"*) ;; *) printf ' %s' "$package" ;; esac
	done
}

missing=$(missing_of "$@")
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
	as_root=
elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
	as_root=sudo
else
	echo "setup.sh: please install these Debian packages:$missing" >&2
	exit 1
fi

# make -j may come here twice: one after the other, as apt waits for dpkg's lock only.
top=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$top/build"
exec 9>"$top/build/.setup.lock"
flock 9
missing=$(missing_of "$@")
[ -n "$missing" ] || exit 0

# RUNLEVEL=1 makes invoke-rc.d skip the start of what a package's scripts would start.
# The lists may be absent, or so old that they name files which the mirror dropped.
# shellcheck disable=SC2016,SC2086
"$top/board/common/step.sh" setup "installing$missing" sh -c '
	as_root=$1
	shift
	apt_get() {
		$as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
			apt-get -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 "$@"
	}
	apt_get install --no-install-recommends "$@" || {
		apt_get update && apt_get install --no-install-recommends "$@"
	}' sh "$as_root" $missing 9>&-
