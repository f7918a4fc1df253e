#!/bin/bash
# run.sh - make bench: builds, then the figures (run.py)
#
# What there is, and what is taken from the environment: run.sh --help
set -eu
cd "$(dirname "$0")/../.."
case ${1-} in
-h | --help) exec python3 -B tests/bench/run.py --help ;;
esac
. tests/lib/deps.sh
[ "$(id -u)" = 0 ] || { echo "make bench needs root: it makes network namespaces"; exit 1; }
deps_need build demo bench
${MAKE:-make} --no-print-directory -s all bench-tools
exec python3 -B tests/bench/run.py "$@"
