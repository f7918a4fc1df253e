#!/bin/bash
# run.sh [test...] - programs that show a behaviour of sockets, on kernel TCP and
# under the shim: over the loopback (carried by the kernel for the stack) and
# over a TUN device (carried by the stack itself)
#
# B=build directory; SHIM_WITH=command that runs its arguments under the shim,
# instead of mptcp-run.  FAR=loopback or tun: only that.
#
# only/*.c show what there is only under the shim: compared with only/*.txt.
set -u
cd "$(dirname "$0")/../.." || exit 1
B=$(realpath "${B:-build}")
out=$B/tests/shim
passed=0 failed=0 net=0
if [ -z "${SHIM_IN_NETNS:-}" ]; then
	SHIM_IN_NETNS=1 exec unshare -n "$0" "$@"
fi
ip link set lo up
mkdir -p "$out/only"
tests=("$@")
if [ $# = 0 ]; then
	for f in tests/shim/*.c tests/shim/only/*.c; do
		n=${f#tests/shim/}
		tests+=("${n%.c}")
	done
fi

with_shim()
{
	if [ -n "${SHIM_WITH:-}" ]; then
		$SHIM_WITH "$@"
	else
		"$B/mptcp-run" --tun "shim$net,addr=10.77.$net.2/24,peer=10.77.$net.1" -- "$@"
	fi
}

# a program that LD_PRELOAD does not reach, and a script that it would run
make_unreachable()
{
	printf 'int main(void) { return 7; }\n' >"$out/static.c"
	${CC:-gcc} -static -o "$out/static" "$out/static.c" 2>/dev/null ||
		{ echo "SKIP shim only/exec: no static C library"; return 1; }
	printf '#!%s\n' "$out/static" >"$out/script"
	chmod +x "$out/script"
}

one() # NAME FAR
{
	local t=$1 log=$out/$1.$2
	net=$((net + 1)) # a stack lives on for a while, with its device
	if [ "$2" = tun ]; then
		T_PEER=10.77.$net.1 T_LOCAL=10.77.$net.2 with_shim timeout 60 "$out/$t" "${args[@]}" >"$log" 2>"$log.err"
	else
		with_shim timeout 60 "$out/$t" "${args[@]}" >"$log" 2>"$log.err"
	fi
	if cmp -s "$out/$t.native" "$log"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "shim: $t over $2: FAILED"
		diff -aU 3 "$out/$t.native" "$log" | head -"${LINES_MAX:-30}"
		head -3 "$log.err"
	fi
}

for t in "${tests[@]}"; do
	if [ ! "$out/$t" -nt "tests/shim/$t.c" ] || [ ! "$out/$t" -nt tests/shim/t.h ]; then
		${CC:-gcc} -std=gnu11 -O1 -g -Wall -Wextra -D_GNU_SOURCE -pthread -o "$out/$t" "tests/shim/$t.c" || exit 1
	fi
	case $t in
	only/*) cp "tests/shim/$t.txt" "$out/$t.native" ;;
	*) timeout 60 "$out/$t" >"$out/$t.native" 2>&1 ;;
	esac
	args=()
	if [ "$t" = only/exec ]; then
		make_unreachable || continue
		args=("$out/static" "$out/script")
	fi
	[ "$t" != only/queue_full ] || echo 64 >/proc/sys/net/core/somaxconn
	for far in ${FAR:-loopback tun}; do
		[ "$far" = loopback ] || ! grep -q 'Loopback only' "tests/shim/$t.c" || continue
		one "$t" "$far"
	done
	echo 4096 >/proc/sys/net/core/somaxconn # of this namespace
done
echo "shim: $passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
