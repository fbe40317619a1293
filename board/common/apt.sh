#!/bin/sh
# apt.sh SUITE source PACKAGE OUTDIR       - prints the path of the .dsc
# apt.sh SUITE deb[:ARCH] PACKAGE OUTDIR   - prints the path of the .deb
# apt.sh SUITE depends[:ARCH] PACKAGE      - prints what the package depends on
#
# Promises: fetches from a Debian suite, also a foreign architecture's or a newer one's,
# without root and without touching the machine's own apt, from the mirror that the
# machine itself uses, signatures checked. What is in OUTDIR already is not fetched
# again. Package lists are fetched when absent or when they prove to be out of date.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
suite=$1 verb=${2%%:*} package=$3 outdir=${4:-}
case $2 in *:*) arch=${2#*:} ;; *) arch=$(dpkg --print-architecture) ;; esac
if [ "$verb" = source ]; then kind=source; else kind=$arch; fi

# One private apt for each suite and kind, so that each fetches only the list it needs.
apt=$top/build/apt/$suite/$kind
mkdir -p "$apt/archives/partial" "$apt/none"
# make -j may want two packages through the same lists: one after the other.
exec 9>"$apt/lock"
flock 9

mirror() { # the main mirror of the machine: the first suite that is no -security or -updates
	apt-get indextargets --format "\$(RELEASE) \$(REPO_URI)" 'Created-By: Packages' |
		awk '$1 !~ /[-\/]/ { print $2; exit }'
}

configure() {
	uri=$(mirror)
	[ -n "$uri" ] || { echo "apt.sh: the machine's apt names no Debian mirror" >&2; exit 1; }
	case $verb in source) type=deb-src ;; *) type=deb ;; esac
	echo "$type [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main" \
		>"$apt/sources.list"
	: >"$apt/status"
	{
		# Proxies and the like come from the machine; its hooks and extra indexes don't.
		apt-config dump | grep '^Acquire::' | grep -v '^Acquire::IndexTargets'
		cat <<-END
		Acquire::Languages { "none"; };
		Acquire::Retries "3";
		Dir::Etc::parts "$apt/none";
		Dir::Etc::main "-";
		Dir::Etc::sourcelist "$apt/sources.list";
		Dir::Etc::sourceparts "-";
		Dir::Etc::preferences "-";
		Dir::Etc::preferencesparts "$apt/none";
		Dir::State "$apt";
		Dir::State::lists "$apt/lists";
		Dir::State::status "$apt/status";
		Dir::Cache "$apt";
		Dir::Cache::pkgcache "";
		Dir::Cache::srcpkgcache "";
		APT::Architecture "$arch";
		APT::Architectures { "$arch"; };
		APT::Sandbox::User "root";
		END
	} >"$apt/apt.conf"
}

update() {
	configure
	# From nothing, so that a damaged list is no trouble for ever.
	rm -rf "$apt/updated" "$apt/lists"
	mkdir -p "$apt/lists/partial"
	APT_CONFIG=$apt/apt.conf apt-get -q update --error-on=any >&2
	: >"$apt/updated"
}

fetch() {
	case $verb in
	source) APT_CONFIG=$apt/apt.conf apt-get -q source --download-only --only-source "$package" ;;
	deb) APT_CONFIG=$apt/apt.conf apt-get -q download "$package:$arch" ;;
	depends) APT_CONFIG=$apt/apt.conf apt-cache depends --no-recommends --no-suggests \
		--no-conflicts --no-breaks --no-replaces --no-enhances "$package:$arch" ;;
	esac
}

find_kept() {
	case $verb in
	source) set -- "$outdir/$package"_*.dsc ;;
	deb) set -- "$outdir/$package"_*_"$arch.deb" "$outdir/$package"_*_all.deb ;;
	esac
	for file in "$@"; do
		[ ! -f "$file" ] || { echo "$file"; return 0; }
	done
	return 1
}

if [ "$verb" = depends ]; then
	[ -f "$apt/updated" ] || update
	fetch | awk '/Depends:/ { sub(/:.*/, "", $2); print $2 }'
	exit
fi

mkdir -p "$outdir"
outdir=$(cd "$outdir" && pwd)
find_kept && exit
# Fetched aside and moved: what is in OUTDIR is complete. The .dsc goes last, as it
# stands for all the files of a source package.
part=$(mktemp -d "$apt/fetch.XXXXXX")
trap 'rm -rf "$part"' EXIT
cd "$part"
[ -f "$apt/updated" ] || update
fetch >&2 || { update; fetch >&2; }
find . -type f ! -name '*.dsc' -exec mv {} "$outdir" \;
find . -type f -exec mv {} "$outdir" \;
find_kept
