#!/bin/bash
# run.sh [NAME...] - plants one bug at a time in a copy of the tree and looks
# whether the tests notice: 300 simulated worlds first, then the unit tests of
# the layer that it is in.
# Prints a table; exit 1 when one survives or no longer applies.
#
# B: build directory (default build); the copy is B/mutants/tree.
set -u
cd "$(dirname "$0")/../.." || exit 1
top=$PWD
dir=$top/${B:-build}/mutants
tree=$dir/tree
list=$top/tests/mutants/list.txt
seeds=${N:-300}
survived=0 total=0

mkdir -p "$tree"
rm -rf "$tree/stack" "$tree/tests" "$tree/Makefile"
# what is under version control, as it is in the work tree
git ls-files -z Makefile stack tests/lib tests/unit tests/unit.sh tests/sim \
		tests/vectors |
	xargs -0 cp -p --parents -t "$tree" || exit 1
# the object of a bug that was planted when a run was interrupted
[ -e "$dir/planted" ] && touch "$tree/$(cat "$dir/planted")"
# the bugs are planted in the core: its tests must find them
for t in "$tree"/tests/unit/*/; do
	case ${t%/} in
	*/base | */wire | */ip | */tcp | */mptcp | */sock) ;;
	*) rm -r "$t" ;;
	esac
done

build()
{
	make -s -C "$tree" B=build "$@" >"$dir/build.log" 2>&1
}

# the unit tests of a layer, as programs
units()
{
	(cd "$tree" && for t in tests/unit/$1/test_*.c; do
		t=${t#tests/unit/}
		echo "build/unit/${t%.c}"
	done)
}

# caught LAYER: why is empty when nothing noticed
caught()
{
	local u
	why=''
	u=$(units "$1")
	if ! build build/sim; then
		why='does not build'
		return
	fi
	timeout 120 "$tree/build/sim" -x -q -n "$seeds" -s 1 >"$dir/sim.log" 2>&1
	case $? in
	0) ;;
	124) why="simulation hangs"; return ;;
	*)
		why="simulation: $(grep -m1 '^seed' "$dir/sim.log" | cut -c1-60)"
		return
		;;
	esac
	# shellcheck disable=SC2086
	if ! build $u; then
		why='does not build'
		return
	fi
	# shellcheck disable=SC2086
	if ! (cd "$tree" && B=build tests/unit.sh $u) >"$dir/unit.log" 2>&1; then
		why="unit: $(grep -m1 FAILED "$dir/unit.log" | tr -s ' ' | cut -c1-60)"
	fi
}

echo "building without a bug"
build build/sim unit-build || { tail -20 "$dir/build.log"; exit 1; }
caught '*'
if [ -n "$why" ]; then
	echo "the tests fail without a planted bug: $why"
	exit 1
fi

printf '%-14s %-9s %s\n' bug caught by
while IFS='@' read -r name file script text; do
	name=${name// /} file=${file// /}
	case $name in '#'* | '') continue ;; esac
	if [ $# -gt 0 ]; then
		case " $* " in *" $name "*) ;; *) continue ;; esac
	fi
	script=${script# } script=${script% }
	total=$((total + 1))
	cp -p "$top/$file" "$dir/original"
	echo "$file" >"$dir/planted"
	sed -E "$script" "$dir/original" >"$tree/$file"
	if cmp -s "$dir/original" "$tree/$file"; then
		printf '%-14s %-9s %s\n' "$name" STALE "nothing to change in $file"
		survived=$((survived + 1))
	else
		layer=${file#stack/}
		caught "${layer%%/*}"
		if [ "$why" = 'does not build' ]; then
			printf '%-14s %-9s %s\n' "$name" STALE "$why"
			survived=$((survived + 1))
		elif [ -n "$why" ]; then
			printf '%-14s %-9s %s\n' "$name" yes "$why"
		else
			printf '%-14s %-9s%s\n' "$name" SURVIVED "$text"
			survived=$((survived + 1))
		fi
	fi
	cp "$dir/original" "$tree/$file"
	touch "$tree/$file"
done <"$list"
echo "$total planted, $((total - survived)) caught"
[ $survived = 0 ]
