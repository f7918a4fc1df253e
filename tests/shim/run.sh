#!/bin/bash
# run.sh [test...] - programs that show a behaviour of sockets, on kernel TCP and
# under the shim: over the loopback (carried by the kernel for the stack) and
# over a TUN device (carried by the stack itself); all three at once, for they
# mostly wait, each in a network of its own
#
# B=build directory; SHIM_WITH=command that runs its arguments under the shim,
# instead of mptcp-run.  FAR=loopback or tun: only that.
#
# only/*.c show what there is only under the shim: compared with only/*.txt.
set -u
cd "$(dirname "$0")/../.." || exit 1
B=$(realpath "${B:-build}")
out=$B/tests/shim
passed=0 failed=0

with_shim()
{
	if [ -n "${SHIM_WITH:-}" ]; then
		$SHIM_WITH "$@"
	else
		"$B/mptcp-run" --tun shim1,addr=10.77.1.2/24,peer=10.77.1.1 -- "$@"
	fi
}

# inside NAME FAR [ARGUMENT...]: in the network where this runs
inside()
{
	local t=$1 far=$2 log=$out/$1.$2
	shift 2
	ip link set lo up
	[ "$t" != only/queue_full ] || echo 64 >/proc/sys/net/core/somaxconn
	set -- timeout 60 "$out/$t" "$@"
	case $far in
	native) "$@" >"$log" 2>&1 ;;
	tun) T_PEER=10.77.1.1 T_LOCAL=10.77.1.2 with_shim "$@" >"$log" 2>"$log.err" ;;
	*) with_shim "$@" >"$log" 2>"$log.err" ;;
	esac
}

if [ "${1:-}" = inside ]; then
	shift
	inside "$@"
	exit
fi
mkdir -p "$out/only"
tests=("$@")
if [ $# = 0 ]; then
	for f in tests/shim/*.c tests/shim/only/*.c; do
		n=${f#tests/shim/}
		tests+=("${n%.c}")
	done
fi

# a program that LD_PRELOAD does not reach, and a script that it would run
make_unreachable()
{
	printf 'int main(void) { return 7; }\n' >"$out/static.c"
	${CC:-gcc} -static -o "$out/static" "$out/static.c" 2>/dev/null ||
		{ echo "SKIP shim only/exec: no static C library"; return 1; }
	printf '#!%s\n' "$out/static" >"$out/script"
	chmod +x "$out/script"
}

# same NAME FAR: as natively
same()
{
	local log=$out/$1.$2
	if cmp -s "$out/$1.native" "$log"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "shim: $1 over $2: FAILED"
		diff -aU 3 "$out/$1.native" "$log" | head -"${LINES_MAX:-30}"
		head -3 "$log.err"
	fi
}

for t in "${tests[@]}"; do
	if [ ! "$out/$t" -nt "tests/shim/$t.c" ] || [ ! "$out/$t" -nt tests/shim/t.h ]; then
		${CC:-gcc} -std=gnu11 -O1 -g -Wall -Wextra -D_GNU_SOURCE -pthread -o "$out/$t" "tests/shim/$t.c" || exit 1
	fi
	args=()
	if [ "$t" = only/exec ]; then
		make_unreachable || continue
		args=("$out/static" "$out/script")
	fi
	ways=()
	for far in ${FAR:-loopback tun}; do
		[ "$far" = loopback ] || ! grep -q 'Loopback only' "tests/shim/$t.c" || continue
		ways+=("$far")
	done
	case $t in
	only/*) cp "tests/shim/$t.txt" "$out/$t.native"; natively='' ;;
	*) natively=native ;;
	esac
	for far in $natively "${ways[@]}"; do
		unshare -n "$0" inside "$t" "$far" "${args[@]}" &
	done
	wait
	for far in "${ways[@]}"; do
		same "$t" "$far"
	done
done
echo "shim: $passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
