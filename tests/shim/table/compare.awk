# differ.txt, then the tables of TCP, of Multipath TCP and of the shim

function known(k, what,   n, p)
{
	# a reason is for one state or for all, and for set or get
	split(k, p, " ")
	if ((p[1] " " p[2] " " what) in reason) {
		used[p[1] " " p[2] " " what] = 1
		return 1
	}
	if (("* " p[2] " " what) in reason) {
		used["* " p[2] " " what] = 1
		return 1
	}
	return 0
}

function show(k, note)
{
	printf "%-10s %-26s %13s/%-10s %13s/%-10s %13s/%-10s %s\n",
	       state[k], option[k], set[1, k], get[1, k], set[2, k], get[2, k],
	       set[3, k], get[3, k], note
}

FNR == 1 { file++ }

file == 1 && NF > 3 && !/^#/ {
	reason[$1 " " $2 " " $3] = 1
}

file > 1 {
	k = $1 " " $2
	if (file == 2) {
		order[++n] = k
		state[k] = $1
		option[k] = $2
	}
	set[file - 1, k] = $3
	get[file - 1, k] = $4
}

END {
	printf "%-10s %-26s %-24s %-24s %s\n", "state", "option",
	       "kernel TCP set/get", "kernel MPTCP", "under the shim"
	for (i = 1; i <= n; i++) {
		k = order[i]
		note = ""
		if (set[1, k] == "0") {
			if (state[k] == "fresh") {
				takes++
				if (((2, k) in set) && set[2, k] != "0")
					mptcp++
				if (set[3, k] != "0")
					shim++
			}
			if (set[3, k] != "0")
				note = known(k, "set") ? "known" : "REFUSED"
		} else if (set[1, k] == "ENOPROTOOPT" && \
			   get[1, k] == "ENOPROTOOPT") {
			note = "new" # to this kernel
		} else if (set[3, k] == "0") {
			note = known(k, "set") ? "known" : "TAKEN"
		}
		if (note == "" && get[1, k] != get[3, k])
			note = known(k, "get") ? "known" : "DIFFERS"
		if (set[1, k] == "-" && get[1, k] == "ENOPROTOOPT")
			note = "new"
		if (note ~ /[A-Z]/)
			bad++
		if (all == "-a" || note ~ /[A-Z]/ || \
		    (set[1, k] == "0" && set[2, k] != "0" && state[k] == "fresh"))
			show(k, note)
	}
	for (r in reason) {
		if (!(r in used)) {
			print "differ.txt: not needed today: " r
		}
	}
	printf "of %d options that the kernel's TCP takes, its Multipath TCP " \
	       "refuses %d, the shim %d\n", takes, mptcp, shim
	printf "shim table: %d passed, %d failed\n", n - bad, bad
	exit bad || n == 0
}
