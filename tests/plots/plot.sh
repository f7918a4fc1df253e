#!/bin/bash
# plot.sh [SCENE..] - make plots: the scenes' time series as PNG
#
# Windows, round trips, goodput and the bottleneck's queue over time, one
# picture for each scene, in $B/plots.  The series themselves stay beside them.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib/deps.sh
B=${B:-build}
out=$B/plots

command -v gnuplot >/dev/null || deps_need plots
mkdir -p "$out"
rm -f "$out"/*.tsv "$out"/*.png
rc=0
"$B/flows" -o "$out" "$@" || rc=$?
for tsv in "$out"/*.tsv; do
	gnuplot -e "tsv='$tsv'; png='${tsv%.tsv}.png'" tests/plots/flows.gp
done
echo "$(find "$out" -name '*.png' | wc -l) pictures in $out"
exit $rc
