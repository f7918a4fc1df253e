#!/bin/bash
# sansio.sh ARCHIVE - the core, or what all processes share, asks the system for
# nothing and keeps no state
#   1. it leaves only the symbols in `allow` undefined (no clock, socket, malloc)
#   2. it has no mutable globals (.data, .bss): one process can host many stacks
# The archive must be a build without sanitizers.
set -u
allow='^(mem(cpy|move|set|cmp|chr)|str(n?len|n?cmp|n?cpy|r?chr|c?spn|pbrk)|v?snprintf|__(stack_chk_fail|v?snprintf_chk|mem(cpy|set|move)_chk|strncpy_chk)|abort|__u?divti3|_GLOBAL_OFFSET_TABLE_|(EVP|OSSL|EC|BN)_[A-Za-z0-9_]+|SHA256_(Init|Update|Final)|OPENSSL_cleanse|CRYPTO_(memcmp|zalloc|free)|cbrt|sqrt)$'
defined=$(nm --defined-only "$1" | awk 'NF >= 3 { print $3 }' | sort -u)
asks=$(nm -u "$1" | awk '$1 == "U" { print $2 }' | sort -u |
	grep -vxF "$defined" | grep -Ev "$allow")
keeps=$(nm -f sysv --defined-only "$1" |
	awk -F'|' '$7 ~ /^\.(data|bss|tdata|tbss)/ && $7 !~ /rel\.ro/ { gsub(/ /, "", $1); print $1 }' |
	sort -u)
[ -z "$asks" ] || { echo "$1 asks the system for:"; echo "${asks//$'\n'/ }"; }
[ -z "$keeps" ] || { echo "$1 keeps mutable globals:"; echo "${keeps//$'\n'/ }"; }
[ -z "$asks$keeps" ]
