#!/bin/bash
# check.sh - make check: everything that can be told by a machine
#
# root: installs what is missing first, before any namespace is entered.
# ordinary user: installs nothing; re-enters itself in a user and network
# namespace where the kernel allows that, and says which tests could not run.
# STRICT=1: what could not run is a failure.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/deps.sh
export STRICT=${STRICT:-0}
make=${MAKE:-make}
t_start=$(date +%s)
failed='' skipped=''

# In a user namespace: a private /run (ip netns keeps its names there), and a
# range of users where newuidmap has one, so that www-data and sshd exist.
reenter()
{
	local map='--map-root-user'
	[ -z "${CHECK_INSIDE:-}" ] && [ "$(id -u)" != 0 ] || return 0
	if command -v newuidmap >/dev/null && grep -q "^$(id -un):" /etc/subuid 2>/dev/null; then
		map='--map-root-user --map-auto'
	fi
	# shellcheck disable=SC2086
	if unshare --user $map --net --mount true 2>/dev/null; then
		export CHECK_INSIDE=1
		# shellcheck disable=SC2086
		exec unshare --user $map --net --mount --pid --fork --mount-proc \
			sh -c 'mount -t tmpfs none /run && mkdir -p /run/netns && ip link set lo up; exec "$@"' \
			sh "$0" "$@"
	fi
	echo "this kernel lets ordinary users make no user namespaces"
	export CHECK_NO_NET=1
}

step()
{
	local name=$1 t0 rc
	shift
	t0=$(date +%s)
	printf '=== %s\n' "$name"
	"$@"
	rc=$?
	printf '=== %s: %s (%d s)\n' "$name" "$([ $rc = 0 ] && echo passed || echo FAILED)" \
		$(($(date +%s) - t0))
	[ $rc = 0 ] || failed="$failed $name"
}

quiet()
{
	local log=build/check-$1.log
	shift
	mkdir -p build
	"$@" >"$log" 2>&1 || { tail -30 "$log"; return 1; }
}

jobs=$(nproc)
deps_need build demo test || exit 1
reenter "$@"
step build quiet build $make --no-print-directory -j"$jobs" WERROR=-Werror all
step build-clang quiet clang $make --no-print-directory -j"$jobs" B=build/clang CC=clang WERROR=-Werror all
step lint $make --no-print-directory -s lint
step unit-build quiet unit $make --no-print-directory -j"$jobs" WERROR=-Werror unit-build
step unit $make --no-print-directory -s unit
step pkt $make --no-print-directory -s pkt
step sim $make --no-print-directory -s sim N="${N:-1000}"
if [ -n "${CHECK_NO_NET:-}" ]; then
	skipped="$skipped shim e2e"
else
	step shim $make --no-print-directory -s shim-test
	step e2e $make --no-print-directory -s e2e
fi
echo
echo "took $(($(date +%s) - t_start)) s"
[ -z "$skipped" ] || echo "could not run:$skipped"
[ "$STRICT" != 1 ] || failed="$failed$skipped"
if [ -n "$failed" ]; then
	echo "FAILED:$failed"
	exit 1
fi
echo "all passed"
