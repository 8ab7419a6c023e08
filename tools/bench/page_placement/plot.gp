# SPDX-License-Identifier: GPL-2.0-only
# gnuplot -e "dir='DIR'" plot.gp: DIR/sweep.dat to DIR/sweep.svg
#
# sweep.dat: a line of names, then for each cell the modelled time and stalls of each configuration
# against those of the kernel's own tiering; NaN where it was not measured.

set terminal svg size 1500,640 dynamic background "white" font "sans,12"
set output dir."/sweep.svg"
set title "Modelled time and stalls, against the kernel's own tiering (less is better)"
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.9 noborder
set datafile missing "NaN"
set grid ytics lc rgb "#dddddd"
set key outside top center horizontal
set yrange [0:*]
set offsets 0, 0, 0.1, 0
set ylabel "kernel's own tiering = 1"
set xtics rotate by -40 noenhanced
set bmargin 9
set arrow 1 from graph 0, first 1 to graph 1, first 1 nohead lc rgb "#404040" dt 2

array colour[6] = ["#999999", "#404040", "#7fb0dd", "#e0a030", "#2a78c8", "#3a9a4a"]
stats dir."/sweep.dat" using 2 skip 1 nooutput
plot for [k=2:STATS_columns] dir."/sweep.dat" using k:xtic(1) title columnheader(k) lc rgb colour[k-1]
