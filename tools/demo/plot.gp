# SPDX-License-Identifier: GPL-2.0-only
# gnuplot -e "dir='DIR'" plot.gp: DIR/throughput.dat, DIR/http.dat and DIR/swaps.dat to DIR/throughput.svg
#
# throughput.dat: seconds, Mbit/s; http.dat: seconds, requests/s; swaps.dat: seconds, then 1 where
# falcon came, 2 hash, 3 the default, 4 onecpu, which is rolled back.

set terminal svg size 1200,640 dynamic background "white" font "sans,12"
set output dir."/throughput.svg"
set multiplot layout 2,1 title "Overlay traffic while policies are swapped (each mark a swap)"

# How wide, and how high: a swap is a mark in a strip above the curves.
stats dir."/throughput.dat" using 1:2 name "T" nooutput
stats dir."/http.dat" using 1:2 name "H" nooutput
strip(max, from) = max * (from ? 1.03 : 1.15)

set xrange [0:T_max_x]
set grid ytics lc rgb "#dddddd"
set key outside right top
set lmargin 10
set rmargin 20

array colour[4] = ["#2a78c8", "#3a9a4a", "#999999", "#d03030"]
array who[4] = ["to falcon", "to hash", "to default", "to onecpu"]

set ylabel "Mbit/s received"
set yrange [0:strip(T_max_y, 0)]
plot for [k=1:4] dir."/swaps.dat" using ($2 == k ? $1 : NaN):(strip(T_max_y, 1)):(0):(T_max_y * 0.12) \
		with vectors nohead lw 2 lc rgb colour[k] title who[k], \
	dir."/throughput.dat" using 1:2 with lines lw 1.5 lc rgb "#202020" title "all traffic"

set ylabel "HTTP requests/s"
set xlabel "seconds"
set yrange [0:strip(H_max_y, 0)]
plot for [k=1:4] dir."/swaps.dat" using ($2 == k ? $1 : NaN):(strip(H_max_y, 1)):(0):(H_max_y * 0.12) \
		with vectors nohead lw 2 lc rgb colour[k] notitle, \
	dir."/http.dat" using 1:2 with lines lw 1.5 lc rgb "#202020" title "HTTP"
unset multiplot
