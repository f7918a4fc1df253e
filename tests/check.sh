#!/bin/bash
# check.sh - make check: everything that can be told by a machine
#
# Root installs what is missing first, before any namespace is entered; an
# ordinary user installs nothing and is told what is missing.  All steps then
# run in namespaces that end with them (lib/enter.sh).  What could not run is
# named at the end; STRICT=1 makes it a failure.
#
# A step's program prints "N passed, N failed[, N skipped]", and a line "SKIP
# what: why" for each thing that it could not do.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/deps.sh
. tests/lib/enter.sh
export STRICT=${STRICT:-0}
make="${MAKE:-make} --no-print-directory"
jobs=$(nproc)
logs=build/check
n_passed=0 n_failed=0 n_skipped=0 failed='' pids=''

# a step has a process group of its own: an interrupt ends it as a whole
interrupted()
{
	local p
	trap '' INT TERM HUP
	for p in $pids; do
		kill -TERM -- "-$p" 2>/dev/null
	done
	echo "interrupted"
	wait
	exit 130
}

# timed LOG COMMAND...: its seconds go to LOG.took
timed()
{
	local log=$1 t0=$SECONDS rc
	shift
	"$@"
	rc=$?
	echo $((SECONDS - t0)) >"$log.took"
	return $rc
}

# begin NAME COMMAND...: what it prints goes to its log
begin()
{
	local log=$logs/$1.log
	shift
	: >"$log"
	set -m
	timed "$log" "$@" >"$log" 2>&1 </dev/null &
	set +m
	pids="$pids $! "
}

# tally LOG RC: adds what a step counted; a step that counted nothing has failed
tally()
{
	local log=$1 rc=$2 a b p=0 f=0 s
	while read -r a b; do
		p=$((p + a)) f=$((f + b))
	done < <(sed -nE 's/^(.*: )?([0-9]+) passed, ([0-9]+) failed.*/\2 \3/p' "$log")
	s=$(grep -c '^SKIP ' "$log")
	[ $((p + f + s)) -gt 0 ] || { echo "no test ran"; rc=1; }
	[ "$rc" = 0 ] || [ "$f" -gt 0 ] || f=1
	[ "$rc" != 0 ] || [ "$f" = 0 ] || rc=1
	n_passed=$((n_passed + p))
	n_failed=$((n_failed + f))
	n_skipped=$((n_skipped + s))
	[ "$STRICT" != 1 ] || [ "$s" = 0 ] || rc=1
	return "$rc"
}

# finish NAME PID: shows its log until it has ended, and what came of it
finish()
{
	local name=$1 pid=$2 log=$logs/$1.log rc shown
	printf '=== %s\n' "$name"
	tail -q -n +1 -f --pid="$pid" -s 0.2 "$log" &
	shown=$!
	wait "$pid"
	rc=$?
	wait $shown
	pids=${pids/ $pid /}
	tally "$log" $rc
	rc=$?
	printf '=== %s: %s (%d s)\n' "$name" \
		"$([ $rc = 0 ] && echo passed || echo FAILED)" "$(cat "$log.took" 2>/dev/null || echo 0)"
	[ $rc = 0 ] || failed="$failed $name"
}

step()
{
	begin "$@"
	finish "$1" $!
}

# beside NAME COMMAND...: begins a step that computes on one processor and minds
# no clock; beside_end shows it, behind the steps that ran meanwhile
beside()
{
	beside=("$@") beside_pid=''
	[ "$jobs" -gt 1 ] || return
	case "$failed " in
	*' build '*) return ;; # or the steps would build at the same time
	esac
	begin "$@"
	beside_pid=$!
}

beside_end()
{
	[ -n "$beside_pid" ] || { step "${beside[@]}"; return; }
	finish "${beside[0]}" "$beside_pid"
}

# a build counts as one test; its lines are shown when it fails
compile()
{
	local log=$logs/$1.make
	shift
	if "$@" >"$log" 2>&1; then
		echo "1 passed, 0 failed"
	else
		tail -30 "$log"
		echo "0 passed, 1 failed"
		return 1
	fi
}

has_cmocka() { echo '#include <cmocka.h>' | gcc -E -include setjmp.h -include stdarg.h -include stddef.h -include stdint.h - >/dev/null 2>&1; }

# with gcc, or with a second compiler into a folder of its own
with()
{
	local cc=$1 what=all
	shift
	command -v "$cc" >/dev/null || { echo "SKIP build with $cc: no $cc here"; return 0; }
	! has_cmocka || what='all test-build'
	# shellcheck disable=SC2086
	compile "$cc" $make -j"$jobs" WERROR=-Werror CC="$cc" "$@" $what
}

unit()
{
	has_cmocka || { echo "SKIP unit: no cmocka here"; return 0; }
	$make -s unit
}

small()
{
	has_cmocka || { echo "SKIP small: no cmocka here"; return 0; }
	$make -s small
}

# a range in which everything occurs, what once failed, and what nobody has seen
sims()
{
	$make -s sim N="${N:-1000}" && $make -s sim-fresh N="${FRESH:-2000}"
}

# the programs of tests/shim, or CPython's tests, under the shim
shim()
{
	local why=${CHECK_NO_NET:-}
	[ -n "$why" ] || [ -w /dev/net/tun ] || why="no access to /dev/net/tun"
	if [ -n "$why" ]; then
		echo "SKIP $1: $why"
	else
		B=build "$1"
	fi
}

# the attacks that stand for the rest; `make threats` shows all of them
threats()
{
	local why=${CHECK_NO_NET:-}
	[ -n "$why" ] || [ -w /dev/net/tun ] || why="no access to /dev/net/tun"
	if [ -n "$why" ]; then
		echo "SKIP threats: $why"
	else
		B=build tests/threats/run.sh 07 08 16
	fi
}

prepare()
{
	local missing
	if [ "$(id -u)" = 0 ]; then
		deps_need build demo test || exit 1
	else
		deps_need build || exit 1
		missing=$(deps_want demo test)
		[ -z "$missing" ] || export CHECK_MISSING="missing packages: $missing
install them as root:  apt-get install --no-install-recommends $missing"
		[ -z "$missing" ] || echo "$CHECK_MISSING"
	fi
	mkdir -p $logs || exit 1
	rm -f $logs/*.log $logs/*.took
}

main()
{
	trap interrupted INT TERM HUP
	# shellcheck disable=SC2086
	{
		step build with gcc
		step build-clang with clang B=build/clang
		step unit unit
		step small small
		beside lint $make -s lint
		step pkt $make -s pkt
		step table $make -s table
		beside_end
		beside flows $make -s flows
		step sim sims
		beside_end
		step shim shim tests/shim/run.sh
		step options shim tests/shim/table/table.sh
		step cpython shim tests/shim/cpython.sh
		step e2e $make -s e2e
		beside dissector $make -s dissector
		step witness tests/witness/run.sh
		beside_end
		step threats threats
	}
	echo
	echo "took $SECONDS s"
	if [ $n_skipped != 0 ]; then
		echo "could not run:"
		sed -n 's/^SKIP /  /p' $logs/*.log
		[ -z "${CHECK_MISSING:-}" ] || echo "$CHECK_MISSING"
	fi
	[ -z "$failed" ] || echo "FAILED:$failed"
	echo "$n_passed passed, $n_failed failed, $n_skipped skipped"
	[ -z "$failed" ]
}

if [ -z "${CHECK_INSIDE:-}" ]; then
	prepare
	enter_again tests/check.sh
	export CHECK_NO_NET=$enter_why
	echo "$CHECK_NO_NET"
fi
main
