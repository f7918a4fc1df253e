#!/bin/bash
# prefix.sh libcore.a - a file's name is the prefix of its global symbols
#
# tcp_rtt.o may define tcp_rtt_*; a folder's public functions (tcp_*, mp_*,
# sock_*, stack_*, ip_*) may stand in any file of that folder.
set -u
nm -A --defined-only "$1" 2>/dev/null | awk '$2 ~ /^[TRDB]$/ || $3 ~ /^[TRDB]$/ {
	split($1, a, ":"); print a[2], $NF }' | while read -r o s; do
	b=${o%.o}
	case $s in "$b" | "$b"_*) continue ;; esac
	case $b in
	env) case $s in mem_* | entropy_*) continue ;; esac ;;
	siphash) case $s in siphash13 | siphash24) continue ;; esac ;;
	esac
	top=${b%%_*}
	case $s in "$top"_*) continue ;; esac
	case $b:$s in
	addr:endpoint_* | addr:tuple_* | pkt:slice_* | hash:prim_* | wheel:wheel_* | stack*:sock_* | sock*:stack_* | hash*:prim_*) continue ;;
	esac
	echo "$o defines $s"
done | grep . && exit 1
exit 0
