# flows.gp - one scene: gnuplot -e "tsv='IN'; png='OUT'" flows.gp
#
# The series' first line is what it is of; the second names the columns.

set terminal pngcairo size 1100,1200 font 'DejaVu Sans,11' linewidth 1.5
set output png
set datafile separator "\t"
set lmargin 11
set rmargin 9
set grid
set key outside top right horizontal
set yrange [0:*<1e9]
set offsets 0, 0, graph 0.05, 0
stats tsv using 1 nooutput name 'T'
stats tsv skip 2 nooutput
flows = (STATS_columns - 3) / 3
set xrange [0:T_max]
title = system("sed -n '1s/^# //p' '".tsv."' | sed 's/ -- /\\n/'")
name(i) = system(sprintf("sed -n '2s/^# //p' '%s' | cut -f%d | cut -d' ' -f1", tsv, 4 + 3 * i))
rate = real(system("sed -nE '1s/.*; ([0-9]+) Mbit.*/\\1/p' '".tsv."'"))
label(i) = flows > 1 ? sprintf("%s (flow %d)", name(i), i + 1) : name(i)
set linetype 1 linecolor rgb '#1f5fa8'
set linetype 2 linecolor rgb '#d9480f'
set linetype 3 linecolor rgb '#555555'
set linetype 4 linecolor rgb '#c2255c'

set multiplot layout 4,1 title title font ',13'
set ylabel 'window (KB)'
plot for [i=0:flows-1] tsv using 1:(column(4 + 3 * i) > 0 ? column(4 + 3 * i) : NaN) with lines linetype i + 1 title label(i)
set ylabel 'smoothed round trip (ms)'
plot for [i=0:flows-1] tsv using 1:(column(5 + 3 * i) > 0 ? column(5 + 3 * i) : NaN) with lines linetype i + 1 title label(i)
# of half a second each
set ylabel 'goodput (Mbit/s)'
set yrange [0:1.25*rate]
plot for [i=0:flows-1] tsv using (floor(column(1) * 2) / 2.0 + 0.25):(column(6 + 3 * i)) smooth unique with lines linetype i + 1 title label(i)
set yrange [0:*<1e9]
set xlabel 'time (s)'
set ylabel 'queue (KB)'
set y2label 'packets dropped in 50 ms'
set y2range [0:*]
set y2tics
set ytics nomirror
plot tsv using 1:2 with lines linetype 3 title 'queue', \
     tsv using 1:($3 > 0 ? $3 : NaN) axes x1y2 with points linetype 4 pointtype 7 pointsize 0.6 title 'dropped'
unset multiplot
