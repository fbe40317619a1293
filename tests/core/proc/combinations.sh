#!/bin/sh
# procname.c with every set of readers, none included:  combinations.sh compiler and flags
src=$(dirname "$0")/../../../src
for comm in 0 1; do
	for stat in 0 1; do
		for status in 0 1; do
			for bsd in 0 1; do
				for psinfo in 0 1; do
					# not -fsyntax-only, which does not see what is unused
					"$@" -O1 -S -o /dev/null -DPROC_COMM=$comm -DPROC_STAT=$stat \
						-DPROC_STATUS=$status -DPROC_BSD=$bsd \
						-DPROC_PSINFO=$psinfo "$src/identity/procname.c" || exit 1
				done
			done
		done
	done
done
