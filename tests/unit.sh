#!/bin/bash
# unit.sh PROGRAM... - runs cmocka programs and counts; J of them at a time, by
# default as many as there are processors: some compute, some wait for a clock
#
# A test that skips says so by cmocka's own SKIPPED; STRICT=1 makes it fail.
set -u
export UNIT_TMP
UNIT_TMP=$(mktemp -d)
trap 'rm -rf "$UNIT_TMP"' EXIT
# some tests hold a table's worth of sockets
n=$(ulimit -Hn)
[ "$n" != unlimited ] && [ "$n" -lt 20000 ] || n=20000
ulimit -n "$n"

# what a program printed before it skipped
why()
{
	grep -B1 -m1 '^\[  SKIPPED' "$1" | grep -v '^\[' | tr -d ',&' | grep . || echo "not possible here"
}

# report NAME LOG RC: a program's lines; what it counted to the file counts
report()
{
	local name=$1 log=$2 rc=$3 p f s
	p=$(grep -c '^\[       OK \]' "$log")
	f=$(grep '^\[  FAILED  \] [a-z_0-9]*$' "$log" | sort -u | wc -l)
	s=$(grep '^\[  SKIPPED \] [a-z_0-9]*$' "$log" | sort -u | wc -l)
	[ "$rc" = 0 ] || { [ "$f" -gt 0 ] || f=1; }
	[ "$s" = 0 ] || [ "${STRICT:-0}" != 1 ] || f=$((f + s))
	sed -nE "s,^\[  SKIPPED \] ([a-z_0-9]+)\$,SKIP unit $name \1: $(why "$log"),p" "$log" | sort -u
	echo "$p $f $s" >>"$UNIT_TMP/counts"
	printf '%-44s %3d passed' "$name" "$p"
	[ "$s" = 0 ] || printf ', %d skipped' "$s"
	if [ "$f" != 0 ]; then
		printf ', %d FAILED (exit %d)\n' "$f" "$rc"
		tail -40 "$log"
	else
		echo
	fi
}

# one PROGRAM: its lines come together
one()
{
	local name=${1#*unit/} log
	log=$UNIT_TMP/${name//\//-}
	timeout 300 "$1" >"$log" 2>&1
	report "$name" "$log" $? >"$log.lines"
	cat "$log.lines"
}

export -f why report one
: >"$UNIT_TMP/counts"
printf '%s\n' "$@" | xargs -P "${J:-$(nproc)}" -I {} bash -c 'one "$1"' one {}
awk -v n=$# '
	{ p += $1; f += $2; s += $3 }
	END {
		if (NR != n) { print n - NR " did not run"; f += n - NR }
		print p + 0 " passed, " f + 0 " failed, " s + 0 " skipped"
		exit f > 0 || p + s == 0
	}' "$UNIT_TMP/counts"
