#!/bin/bash
# man.sh - manual pages are clean, and say what the program says
#
# Every option and variable of the option table (mptcp-run --help) is in the
# manual pages, and every one in the manual pages is in the table.
set -u
rc=0
command -v mandoc >/dev/null || { echo "no mandoc"; exit 77; }
for f in man/*.[178]; do
	out=$(MANPATH=$PWD/man mandoc -T lint -W warning "$f" 2>&1) || { echo "$out"; rc=1; }
done
B=${B:-build}
help=$("$B/mptcp-run" --help) || { echo "mptcp-run --help fails"; exit 1; }
opts_help=$(grep -oE -- '(^|[ ,(])--?[a-z][a-z-]*' <<<"$help" | grep -oE -- '--?[a-z][a-z-]*' | sort -u)
opts_page=$(grep -oE '^\.It Fl [^ ]+( , Fl [^ ]+)*.*' man/mptcp-run.1 |
	grep -oE 'Fl -?[a-z][a-z-]*' | sed 's/^Fl /-/' | sort -u)
for o in $opts_help; do
	grep -qxF -- "$o" <<<"$opts_page" || { echo "$o is in --help and not in man/mptcp-run.1"; rc=1; }
done
for o in $opts_page; do
	grep -qxF -- "$o" <<<"$opts_help" || { echo "$o is in man/mptcp-run.1 and not in --help"; rc=1; }
done
vars_help=$(grep -oE 'MPTCP_[A-Z_]+' <<<"$help" | sort -u)
vars_page=$(grep -ohE 'MPTCP_[A-Z_]+' man/*.[178] | sort -u)
vars_code=$(find stack/chan stack/engine shim tools -name '*.c' -print0 |
	xargs -0 grep -ohE '"MPTCP_[A-Z_]+' | tr -d '"' | sort -u)
for v in $vars_help $vars_code; do
	grep -qxF "$v" <<<"$vars_page" || { echo "$v is in the program and in no manual page"; rc=1; }
done
for v in $vars_page; do
	grep -qxF "$v" <<<"$vars_code" || { echo "$v is in a manual page and not in the program"; rc=1; }
done
exit $rc
