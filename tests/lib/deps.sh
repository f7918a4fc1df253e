# shellcheck shell=bash
# deps.sh - what the build and the tests need from Debian; sourced
#
# deps_need SET...: as root installs what is missing of the named sets; as an
# ordinary user names it and fails.

# awk, sort and python speak one language everywhere; tools of root are found
export LC_ALL=C.UTF-8
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

deps_build="gcc libc6-dev liburing-dev libssl-dev"
deps_demo="iproute2 nftables curl nginx mptcpize procps util-linux python3 tcpdump"
deps_test="clang libcmocka-dev mandoc shellcheck iperf3
	libpython3.11-testsuite netcat-openbsd openssh-server openssh-client
	tshark uidmap python3-cryptography"
deps_san="libclang-rt-14-dev"
deps_bench="python3 wrk socat openssl liblwip-dev"
deps_plots="gnuplot-nox"
deps_services="nginx ssh iperf3"

deps_missing()
{
	local p
	for p in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] ||
			echo "$p"
	done
}

# Installing a server package starts nothing on the host, now or at its next
# boot, unless its service was there before.
deps_install()
(
	policy=/usr/sbin/policy-rc.d new='' s=''
	trap 'exit 130' INT TERM HUP
	if [ ! -e $policy ]; then
		trap 'rm -f $policy' EXIT
		printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy
	fi
	for s in $deps_services; do
		[ -e "/lib/systemd/system/$s.service" ] || new="$new $s"
	done
	export DEBIAN_FRONTEND=noninteractive
	{
		dpkg --configure -a && apt-get -q update &&
			apt-get -q install -y --no-install-recommends "$@"
	} >"$deps_log" 2>&1 </dev/null || exit 1
	for s in $new; do
		[ -e "/lib/systemd/system/$s.service" ] || continue
		systemctl -q disable "$s.service" || update-rc.d "$s" disable
	done >>"$deps_log" 2>&1
	exit 0
)

# deps_want SET...: the packages of these sets that are missing, in one line
deps_want()
{
	local s want=''
	for s in "$@"; do
		s=deps_$s
		want="$want ${!s}"
	done
	# shellcheck disable=SC2086
	deps_missing $want | sort -u | xargs
}

deps_need()
{
	local missing
	missing=$(deps_want "$@")
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		echo "missing packages: $missing" >&2
		echo "install them as root:  apt-get install --no-install-recommends $missing" >&2
		return 1
	fi
	mkdir -p build
	deps_log=build/apt.log
	echo "installing: $missing"
	# shellcheck disable=SC2086
	if ! deps_install $missing; then
		echo "apt-get failed; its last lines (all in $deps_log):" >&2
		tail -5 "$deps_log" >&2
		return 1
	fi
}
