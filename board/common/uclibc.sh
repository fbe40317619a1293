#!/bin/sh
# uclibc.sh ARCH - builds the static uClibc-ng toolchain build/toolchain/ARCH/.
#
# Promises: build/toolchain/ARCH/cc compiles and links static programs with Debian's gcc
# against uClibc-ng, wherever the folder is moved to; ar, nm, size and strip beside it
# are the architecture's own. The folder appears when all of it is done, not before.
# The facts about ARCH are in arch/ARCH.conf.
set -eu

arch=$1
common=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$common/../.." && pwd)
# The one place that names the suite. 1.0.35 of the stable suites has a 32-bit time_t.
suite=forky

# shellcheck disable=SC1090,SC1091
. "$common/arch/$arch.conf"
part=$top/build/toolchain/.$arch.part
source=$part/source
sysroot=$part/sysroot

# shellcheck disable=SC2086
"$common/setup.sh" make gcc libc6-dev xz-utils $PACKAGES
deb=$("$common/apt.sh" $suite deb uclibc-source "$top/build/download")
echo "uClibc-ng from ${deb##*/} of $suite"
rm -rf "$part"
mkdir -p "$source" "$sysroot/usr/include" "$sysroot/usr/lib"
dpkg-deb --fsys-tarfile "$deb" |
	tar -xO --wildcards './usr/src/*.tar.xz' | tar -xJ -C "$source" --strip-components 1

for name in linux asm asm-generic mtd; do
	for folder in $HEADERS; do
		[ ! -d "$folder/$name" ] || cp -R "$folder/$name" "$sysroot/usr/include/"
	done
done

# An environment of our own: CC, CFLAGS or ARCH of the caller's make would leak in.
# In one go, since every further call of make costs 20 s of asking gcc what it can do.
make_uclibc() {
	env -i PATH="$PATH" "KCONFIG_ALLCONFIG=$part/config" make -C "$source" \
		-j"$(nproc)" V=1 "ARCH=$UCLIBC_ARCH" "CROSS_COMPILE=$TRIPLET-" "PREFIX=$sysroot" "$@"
}
{
	cat "$common/uclibc.config"
	# shellcheck disable=SC2086
	printf '%s\n' $UCLIBC_CONFIG
	echo "KERNEL_HEADERS=\"$sysroot/usr/include\""
	# nothing here unwinds a stack
	echo "UCLIBC_EXTRA_CFLAGS=\"-fno-pie -fno-asynchronous-unwind-tables -fno-unwind-tables $CC_FLAGS\""
} >"$part/config"
make_uclibc alldefconfig
"$common/config-check.sh" "$part/config" "$source/.config"
make_uclibc all install_dev

# -lm and its kin must not find those of Debian's glibc further down the path.
for name in m pthread util; do
	[ -f "$sysroot/usr/lib/lib$name.a" ] || "$TRIPLET-ar" rc "$sysroot/usr/lib/lib$name.a"
done

for tool in ar nm size strip; do
	ln -s "$(command -v "$TRIPLET-$tool")" "$part/$tool"
done
# In the manner of musl-gcc. No libgcc_eh: nothing unwinds, and it wants a glibc.
cat >"$part/specs" <<'END'
%rename cpp_options uclibc_cpp_options
%rename cc1 uclibc_cc1

*cpp_options:
-nostdinc -isystem %:getenv(UCLIBC_SYSROOT /usr/include) -isystem include%s %(uclibc_cpp_options)

*cc1:
%(uclibc_cc1) -nostdinc -isystem %:getenv(UCLIBC_SYSROOT /usr/include) -isystem include%s

*libgcc:
libgcc.a%s

*startfile:
crt1.o%s crti.o%s crtbeginT.o%s

*endfile:
crtend.o%s crtn.o%s

END
cat >"$part/cc" <<END
#!/bin/sh
# Debian's gcc with uClibc-ng, always static; made by board/common/uclibc.sh.
here=\$(cd "\$(dirname "\$0")" && pwd)
UCLIBC_SYSROOT=\$here/sysroot
export UCLIBC_SYSROOT
exec $TRIPLET-gcc -specs="\$here/specs" -B"\$here/sysroot/usr/lib/" \\
	-L"\$here/sysroot/usr/lib" -static -fno-pie -no-pie $CC_FLAGS "\$@"
END
chmod 755 "$part/cc"

# Of ARM: static programs want it, and only the shared library gets it.
unwind=$source/libc/sysdeps/linux/$UCLIBC_ARCH/aeabi_unwind_cpp_pr1
if [ -f "$unwind.c" ]; then
	"$part/cc" -Os -Dattribute_hidden= -c -o "$unwind.o" "$unwind.c"
	"$TRIPLET-ar" r "$sysroot/usr/lib/libc.a" "$unwind.o"
fi
rm -rf "$source" "$part/config"
echo "${deb##*/}" >"$part/package" # for sbom.py

rm -rf "$top/build/toolchain/$arch"
mv "$part" "$top/build/toolchain/$arch"
