#!/bin/bash
# run.sh [-n] [NAME...] - plants one bug at a time in a copy of the tree and looks
# whether the tests notice: the unit tests of its own file first, then simulated
# worlds, then the unit tests of its layer, then packet scripts, then the other
# layers' unit tests; the first that fails ends it.
# Prints a table; exit 1 when one survives or no longer applies.  -n: tells only
# which do not apply to the work tree, at once.
#
# B: build directory (default build); the copy is B/mutants/tree.  There the
# core is a shared object: a bug costs one file compiled and one link.
set -u
cd "$(dirname "$0")/../.." || exit 1
top=$PWD
dir=$top/${B:-build}/mutants
tree=$dir/tree
list=$top/tests/mutants/list.txt
seeds=${N:-300}
survived=0 total=0
most=60 # seconds of processor time for a program: more is a hang

# applies SCRIPT FILE
applies()
{
	[ -f "$2" ] && ! sed -E "$1" "$2" | cmp -s - "$2"
}

if [ "${1:-}" = -n ]; then
	while IFS='@' read -r name file script text; do
		case $name in '#'* | '') continue ;; esac
		file=${file// /} script=${script# } script=${script% }
		applies "$script" "$file" ||
			{ echo "${name// /}: nothing to change in $file"; survived=1; }
	done <"$list"
	exit $survived
fi

# What is under version control, as it is in the work tree.  What is the same
# stays, with its time: objects of the last run are of use.
copy()
{
	local f
	mkdir -p "$tree"
	git ls-files Makefile stack tests/lib tests/sim tests/vectors tests/pkt \
			tests/unit/{base,wire,ip,crypt,tcp,mptcp,sock} |
		while read -r f; do [ ! -f "$f" ] || echo "$f"; done |
		sort >"$dir/files" || return 1
	(cd "$tree" && find Makefile stack tests -type f 2>/dev/null) | sort |
		comm -13 "$dir/files" - |
		while read -r f; do rm "$tree/$f"; done
	while read -r f; do
		cmp -s "$f" "$tree/$f" || cp --parents "$f" "$tree"
	done <"$dir/files"
}
copy || exit 1
cat >"$dir/ar" <<'AR'
#!/bin/sh
# as ar rcs LIBRARY OBJECT..., but a shared one
shift
exec gcc -shared -Wl,-z,nodelete -o "$@" -lcrypto
AR
chmod +x "$dir/ar"

compiler=gcc
! command -v ccache >/dev/null || compiler='ccache gcc'

build()
{
	make -s -C "$tree" B=build CC="$compiler" OPT=-O2 "$@" \
		>"$dir/build.log" 2>&1
}

# the core and what tests need of it, as shared objects
shared()
{
	build AR="$dir/ar" build/libchan.a build/libcore.a "$@"
}

# the simulator wraps functions of the core (--wrap), which only a static one
# allows
simulator()
{
	build CORE=build/libstatic.a build/sim
}

# bounded LOG COMMAND...: in the copy, with an end to what hangs
bounded()
{
	local log=$1
	shift
	{
		(cd "$tree" && ulimit -t $most -c 0 && exec timeout 900 "$@")
	} >"$log" 2>&1 # also what the shell says about one that aborts
}

# unit PROGRAM...: true when one fails; why says which
unit()
{
	local t rc
	for t in "$@"; do
		[ -x "$tree/$t" ] || continue
		bounded "$dir/unit.log" "$t"
		rc=$?
		[ $rc != 0 ] || continue
		why=$(grep -m1 -o '^\[  FAILED  \] [a-z_0-9]*$' "$dir/unit.log")
		why="unit: ${t#build/unit/} ${why##* }"
		[ $rc -lt 128 ] || why="$why (exit $rc)"
		return 0
	done
	return 1
}

# the unit tests of a layer, those of one of its files, as programs
units()
{
	(cd "$tree" && printf '%s\n' tests/unit/$1/test_${2:-}*.c |
		sed -n 's,^tests/\(unit/.*[^*]\)\.c$,build/\1,p')
}

simulated()
{
	simulator || return 1
	bounded "$dir/sim.log" build/sim -x -q -n "$seeds" -s 1
	case $? in
	0) return 1 ;;
	124 | 137 | 152) why="simulation hangs" ;;
	*) why="simulation: $(grep -m1 '^seed' "$dir/sim.log" | cut -c1-60)" ;;
	esac
	return 0
}

scripts()
{
	local f
	for f in "$tree"/tests/pkt/*/*.pkt; do
		case $f in */pkt/inc/*) continue ;; esac
		f=${f#"$tree/"}
		bounded "$dir/pkt.log" build/pkt-run "$f" && continue
		why="packets: ${f#tests/pkt/}"
		return 0
	done
	return 1
}

# caught FILE: why is empty when nothing noticed
caught()
{
	local layer=${1#stack/} name
	layer=${layer%%/*}
	name=$(basename "$1" .c)
	why=''
	if ! shared; then
		why='does not build'
		return
	fi
	# shellcheck disable=SC2046 # one word for each program
	unit $(units "$layer" "$name") || simulated ||
		unit $(units "$layer") || scripts || unit $(units '*')
}

# without a bug everything must pass
baseline()
{
	echo "building without a bug"
	shared build/pkt-run unit-build && simulator ||
		{ tail -20 "$dir/build.log"; exit 1; }
	why=''
	# shellcheck disable=SC2046
	if unit $(units '*') || simulated || scripts; then
		echo "the tests fail without a planted bug: $why"
		exit 1
	fi
}

baseline
start=$SECONDS
printf '%-14s %-9s %s\n' bug caught by
while IFS='@' read -r name file script text; do
	name=${name// /} file=${file// /}
	case $name in '#'* | '') continue ;; esac
	if [ $# -gt 0 ]; then
		case " $* " in *" $name "*) ;; *) continue ;; esac
	fi
	script=${script# } script=${script% }
	total=$((total + 1))
	if ! applies "$script" "$tree/$file"; then
		printf '%-14s %-9s %s\n' "$name" STALE "nothing to change in $file"
		survived=$((survived + 1))
		continue
	fi
	cp -p "$tree/$file" "$dir/original"
	sed -E "$script" "$dir/original" >"$tree/$file"
	caught "$file"
	if [ "$why" = 'does not build' ]; then
		printf '%-14s %-9s %s\n' "$name" STALE "$why"
		survived=$((survived + 1))
	elif [ -n "$why" ]; then
		printf '%-14s %-9s %s\n' "$name" yes "$why"
	else
		printf '%-14s %-9s%s\n' "$name" SURVIVED "$text"
		survived=$((survived + 1))
	fi
	cp "$dir/original" "$tree/$file"
	touch "$tree/$file"
done <"$list"
echo "$total planted, $((total - survived)) caught, $((SECONDS - start)) seconds"
[ $survived = 0 ]
