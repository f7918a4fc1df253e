# shellcheck shell=bash
# deps.sh - what the build and the tests need from Debian; sourced
#
# deps_need SET...: as root installs what is missing of the named sets; as an
# ordinary user names it and fails.

deps_build="gcc libc6-dev liburing-dev libssl-dev"
deps_demo="iproute2 nftables curl nginx-light mptcpize procps util-linux"
deps_test="clang libclang-rt-14-dev libcmocka-dev mandoc shellcheck iperf3
	python3 libpython3.11-testsuite netcat-openbsd openssh-server
	openssh-client tshark file"
deps_bench="iperf3 python3 wrk socat"

deps_missing()
{
	local p
	for p in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] ||
			echo "$p"
	done
}

# Installing a server package must not start it on the host.
deps_install()
{
	local policy=/usr/sbin/policy-rc.d mine='' rc=0
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy && mine=1
	fi
	{
		DEBIAN_FRONTEND=noninteractive apt-get -q update &&
			DEBIAN_FRONTEND=noninteractive apt-get -q install -y \
				--no-install-recommends "$@"
	} >"$deps_log" 2>&1 || rc=$?
	[ -z "$mine" ] || rm -f $policy
	return $rc
}

deps_need()
{
	local s want='' missing
	for s in "$@"; do
		eval "want=\"\$want \$deps_$s\""
	done
	# shellcheck disable=SC2086
	missing=$(deps_missing $want | tr '\n' ' ')
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
