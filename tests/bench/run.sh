#!/bin/bash
# run.sh - make bench: builds, then the figures (run.py)
#
# ROUNDS=5 runs of each, SECS=3 seconds of each bulk run; ONLY=bulk,ping,..: some
# (run.py names them); LOSS_SECS=10 HOLD=19000
set -eu
cd "$(dirname "$0")/../.."
. tests/lib/deps.sh
[ "$(id -u)" = 0 ] || { echo "make bench needs root: it makes network namespaces"; exit 1; }
deps_need build demo bench
${MAKE:-make} --no-print-directory -s all bench-tools
exec python3 tests/bench/run.py
