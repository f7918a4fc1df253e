#!/bin/bash
# cpython.sh [module...] - CPython's own tests of sockets, natively and under the
# shim, compared test by test (default: test_socket; VSOCK needs a hypervisor);
# both at once, as they mostly wait, each in a network of its own
#
# Differences listed in known.txt, with a cause each, are allowed.
# B=build directory.  Needs Debian's libpython3.11-testsuite.
set -u
cd "$(dirname "$0")/../.." || exit 1
B=$(realpath "${B:-build}")
python=/usr/bin/python3.11
known=$PWD/tests/shim/known.txt
[ -x $python ] && $python -c 'import test.test_socket' 2>/dev/null ||
	{ echo "SKIP cpython: python3.11 and libpython3.11-testsuite are not installed"; exit 0; }
if [ -z "${SHIM_IN_NETNS:-}" ]; then
	SHIM_IN_NETNS=1 exec unshare -n "$0" "$@"
fi
ip link set lo up
out=$B/tests/cpython
mkdir -p "$out"
cd "$out" || exit 1

# NAME result, one line per test; a test may print between its name and result
results()
{
	$python - "$1" <<'END'
import re, sys
name = None
for line in open(sys.argv[1], errors="replace"):
    m = re.match(r"(test\w+ \([\w.]+\))", line)
    if m:
        name = m.group(1)
    r = re.search(r"\.\.\. (?:.*)?(ok|FAIL|ERROR|skipped|expected failure)\b", line) or (
        name and re.match(r"(ok|FAIL|ERROR|skipped)\b", line))
    if name and r:
        print(name, r.group(1))
        name = None
END
}

run() # LOG command...
{
	local log=$1
	shift
	timeout "${CPYTHON_TIMEOUT:-300}" "$@" $python -m test -v -i '*VSOCK*' "$module" >"$log" 2>&1
	results "$log" | sort >"$log.results"
}

rc=0
for module in "${@:-test_socket}"; do
	run "$module.native" unshare -n sh -c 'ip link set lo up && exec "$@"' sh &
	run "$module.shim" ${SHIM_WITH:-$B/mptcp-run --tun cpython,addr=10.78.0.2/24,peer=10.78.0.1 --}
	wait
	n=$(wc -l <"$module.native.results")
	diff "$module.native.results" "$module.shim.results" | sed -n 's/^< //p' |
		grep -vFf <(sed -n 's/^\(test[^ ]* ([^)]*)\):.*/\1/p' "$known") >"$module.differ"
	differ=$(wc -l <"$module.differ")
	echo "cpython: $module: as natively: $((n - differ)) passed, $differ failed"
	if [ "$n" = 0 ] || [ -s "$module.differ" ]; then
		rc=1
		while read -r line; do
			echo "  natively $line"
		done <"$module.differ"
	fi
done
exit $rc
