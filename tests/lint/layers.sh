#!/bin/bash
# layers.sh - each folder includes only what the table lets it include
# usage: layers.sh [root]; names file and include of every breach, exit 1
set -u
cd "${1:-.}" || exit 2
rules='
stack/base:
stack/wire:stack/base
stack/prim:stack/base
stack/chan:stack/base
stack/ip:stack/base,stack/wire
stack/crypt:stack/base,stack/wire,stack/prim
stack/tcp:stack/base,stack/wire,stack/ip
stack/mptcp:stack/base,stack/wire,stack/prim,stack/ip,stack/tcp,stack/crypt
stack/sock:stack/base,stack/wire,stack/ip,stack/tcp,stack/crypt,stack/mptcp
stack/engine:stack/base,stack/wire,stack/chan,stack/sock
shim:stack/base,stack/chan
tools:stack/base,stack/wire,stack/chan
'
sys_core='assert errno inttypes limits stdalign stdarg stdbool stddef stdint stdio stdlib string'
public='stack/ip/ip.h stack/crypt/crypt.h stack/tcp/tcp.h stack/tcp/cc.h stack/mptcp/mptcp.h stack/sock/stack.h'
toolbox='stack/base stack/wire stack/prim stack/chan'

check_one()
{
	local dir=$1 ok=$2 f inc to
	find "$dir" -name '*.[ch]' | while read -r f; do
		sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$f" |
		while read -r inc; do
			to=$(dirname "$inc")
			[ "$to" != . ] || { echo "$f: \"$inc\": name the folder"; continue; }
			case $to in stack/*/*) to=$(echo "$to" | cut -d/ -f1,2) ;; esac
			case ",$ok,$dir," in
			*",$to,"*) ;;
			*) echo "$f: \"$inc\": $dir may not include $to" ;;
			esac
			[ "$to" = "$dir" ] && continue
			case " $toolbox " in *" $to "*) continue ;; esac
			case " $public " in *" $inc "*) ;; *) echo "$f: \"$inc\" is private to $to" ;; esac
		done
		case $dir in stack/engine | shim | tools | stack/prim) continue ;; esac
		sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*<\([^>]*\)\.h>.*/\1/p' "$f" |
		while read -r inc; do
			case " $sys_core " in *" $inc "*) ;; *) echo "$f: <$inc.h>: the core is sans-I/O" ;; esac
		done
	done
}

breaches=$(for line in $rules; do
	[ ! -d "${line%%:*}" ] || check_one "${line%%:*}" "${line#*:}"
done)
[ -z "$breaches" ] || { echo "$breaches"; exit 1; }
