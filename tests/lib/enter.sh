# shellcheck shell=bash
# enter.sh - namespaces that end with the tests; sourced
#
# enter_again FILE [ARG...]: runs FILE again in namespaces of its own for
# network, mounts and processes, with a /run of its own, and as an ordinary user
# in a user namespace, with a range of users where newuidmap has one.  Whatever
# the tests leave behind ends with them.  Exits with FILE's status; returns 0
# inside, 1 when it is not possible, with the cause in $enter_why.

export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" # ip, for ordinary users, too
enter_flags='' enter_why=''

enter_map()
{
	local me
	me="^\($(id -un)\|$(id -u)\):"
	[ "$(id -u)" != 0 ] || return 0
	echo --user --map-root-user
	command -v newuidmap >/dev/null && command -v newgidmap >/dev/null &&
		grep -q "$me" /etc/subuid && grep -q "$me" /etc/subgid &&
		echo --map-auto
}

# "localhost" has a meaning inside, whatever /etc/hosts of the host says
# shellcheck disable=SC2016
enter_init='mount -t tmpfs -o mode=755 mptcp /run && mkdir -p /run/netns /run/lock &&
	mkdir -m 1777 /run/tmp && ip link set lo up || exit 1
getent ahosts localhost >/dev/null || {
	mkdir -p /run/etc/up /run/etc/work
	echo "127.0.0.1 localhost" >/run/etc/up/hosts
	echo "::1 localhost ip6-localhost ip6-loopback" >>/run/etc/up/hosts
	mount -t overlay -o lowerdir=/etc,upperdir=/run/etc/up,workdir=/run/etc/work \
		hosts /etc
} 2>/dev/null
exec "$@"'

enter_run()
{
	# shellcheck disable=SC2086
	unshare $enter_flags sh -c "$enter_init" sh "$@"
}

# the most that the kernel allows: without a range of users, without a /proc
enter_find()
{
	local map pids='--pid --fork --mount-proc --kill-child'
	enter_why="no ip here (package iproute2)"
	command -v ip >/dev/null || return 1
	enter_why="no user namespaces for this user here"
	[ "$(id -u)" != 0 ] || enter_why="no right to make namespaces here"
	map=$(enter_map | xargs)
	for enter_flags in "$map --net --mount $pids" \
		"${map%--map-auto} --net --mount $pids" "$map --net --mount" \
		"${map%--map-auto} --net --mount"; do
		enter_run true 2>/dev/null && return 0
	done
	return 1
}

enter_end()
{
	local n
	trap '' INT TERM HUP
	kill -TERM -- "-$enter_pid" 2>/dev/null
	for n in $(seq 150); do
		kill -0 "$enter_pid" 2>/dev/null || exit 130
		sleep 0.1
	done
	kill -KILL -- "-$enter_pid" 2>/dev/null
	exit 130
}

enter_again()
{
	[ -z "${CHECK_INSIDE:-}" ] || return 0
	enter_find || return 1
	# a process group of its own: it can be ended as a whole
	set -m
	CHECK_INSIDE=1 E2E_TMP=/run/tmp TMPDIR=/run/tmp \
		XDG_STATE_HOME=/run/tmp/state enter_run "$@" </dev/null &
	enter_pid=$!
	set +m
	trap enter_end INT TERM HUP
	wait $enter_pid
	exit
}
