-- conn.lua - connections, their subflows, and what each packet brought
--
-- Packets are taken once, in the order of the capture, when Wireshark visits
-- them first with fields filled in.  What a packet shows is kept by its number,
-- so that later visits in any order show the same.
local lib = ...
if type(lib) ~= "table" then
	return
end

local opt, stream = lib.opt, lib.stream
local SEQ = 4294967296
local OFFSET_MAX = 9007199254740992
local MAPS_MAX, PENDING_MAX = 256, 256

local conns = {}
lib.conns = conns

local flows   -- by tcp.stream
local tokens  -- of hosts with SMTCP: { conn, role }
local packets -- items by packet number
local n_conns
local top     -- the highest packet number taken

function conns.start()
	flows, tokens, packets, n_conns, top = {}, {}, {}, 0, 0
end
conns.start()

function conns.flow(id)
	return flows[id]
end

-- value modulo 2^32 nearest to ref
local function near(value, ref)
	local d = (value - ref) % SEQ
	return ref + (d >= SEQ / 2 and d - SEQ or d)
end

local function other(role)
	return role == "A" and "B" or "A"
end

local function new_conn(flow)
	n_conns = n_conns + 1
	local conn = { index = n_conns - 1, first = flow,
		side = { A = stream.side("A"), B = stream.side("B") } }
	flow.conn = conn
	return conn
end

local function dir_of(flow, key)
	local d = flow.dirs[key]
	if not d then
		d = { maps = {}, done = {}, done_to = 0, pending = {},
			next = 0 }
		flow.dirs[key] = d
	end
	return d
end

local function peer_dir(flow, dir)
	for _, d in pairs(flow.dirs) do
		if d ~= dir then
			return d
		end
	end
end

-- Key-A and Key-B give tokens and first data sequence numbers (RFC 8684 3.1)
local function learn_key(conn, role, key)
	local side = conn.side[role]
	if side.key == key then
		return
	end
	local digest = lib.sha256(key)
	side.key = key
	side.idsn = { hi = lib.be32(digest, 25), lo = lib.be32(digest, 29) }
	tokens[digest:sub(1, 4)] = { conn = conn, role = role }
end

-- Handshake

local function say(seg, item)
	seg.items[#seg.items + 1] = item
end

local function negotiate(flow, dir, seg)
	local peer = peer_dir(flow, dir)
	local b, a = dir, peer
	if dir.eno and peer and peer.eno and peer.eno.b and not dir.eno.b then
		b, a = peer, dir -- a simultaneous open
	end
	local key = b.eno.raw .. "|" .. (a and a.eno and a.eno.raw or "")
	if flow.conn and flow.agreed == key then
		say(seg, { type = "agreed", conn = flow.conn })
		return
	end
	if a and a.syn and not a.eno then
		say(seg, { type = "none", why = "the other SYN has no ENO" })
		return
	end
	local got, why = opt.negotiate(a and a.eno, b.eno)
	if not got then
		say(seg, { type = "none", why = why })
		return
	end
	local conn = new_conn(flow)
	flow.agreed = key
	conn.tep, conn.kx, conn.smtcp = got.tep, got.kx, got.smtcp or false
	conn.resumed = got.resumed
	b.role = "B"
	if a then
		a.role = "A"
		conn.id = got.resumed and lib.hex(a.eno.raw) or nil
	end
	if got.smtcp and b.capable_key then
		learn_key(conn, "B", b.capable_key)
	end
	say(seg, { type = "agreed", conn = conn })
end

local function take_join(flow, dir, seg)
	local t = seg.mp.token and tokens[seg.mp.token]
	if t then
		flow.conn = t.conn
		flow.joined = true
		dir.role = other(t.role)
		t.conn.joined = true
	end
end

local function take_syn(flow, dir, seg)
	local peer = peer_dir(flow, dir)
	if seg.mp.join then
		take_join(flow, dir, seg)
	elseif #seg.enos == 1 then
		dir.eno = opt.eno(seg.enos[1].raw)
		dir.capable_key = seg.mp.capable and seg.mp.capable.key
		if seg.ack or peer and peer.eno then
			negotiate(flow, dir, seg)
		end
	else
		dir.eno = nil
		if seg.ack and peer and peer.eno and #seg.enos == 0 then
			say(seg, { type = "none",
				why = "the answer has no ENO" })
		end
	end
	dir.syn = true
	dir.isn = seg.seq
end

-- a stream whose handshake is not in the capture, or says nothing
local function guess_conn(flow, dir, seg)
	local role = stream.is_init(seg.data)
	if not role or #seg.data < 42 or lib.be32(seg.data, 5) > 4096 then
		return
	end
	if dir.isn and (seg.seq - dir.isn - 1) % SEQ ~= 0 then
		return
	end
	local conn = new_conn(flow)
	conn.guessed = true
	dir.role = role
	dir.isn = (seg.seq - 1) % SEQ
	if seg.mp.map then
		conn.smtcp = true
	end
end

-- Mappings

-- the offset of a data sequence number in a side's stream, or nil
local function offset_of(side, dsn)
	if not side.idsn then
		return nil
	end
	if not dsn.hi then
		local at = near(dsn.lo, (side.idsn.lo + 1 + side.top) % SEQ)
		local d = at - (side.idsn.lo + 1 + side.top) % SEQ
		return side.top + d >= 0 and side.top + d or nil
	end
	-- a difference of less than 2^53, so that nothing is rounded
	local hi = (dsn.hi - side.idsn.hi) % SEQ
	local offset = hi * SEQ + dsn.lo - side.idsn.lo - 1
	return offset >= 0 and offset < OFFSET_MAX and offset or nil
end

-- Without the key the stream begins where the first mapping says.
local function learn_base(conn, side, map, rel, data)
	if side.idsn or not map.dsn or not map.dsn.hi or map.ssn ~= 1 then
		return
	end
	if conn.resumed and rel == 0 or stream.is_init(data) == side.role then
		local lo = map.dsn.lo - 1
		side.idsn = { lo = lo % SEQ,
			hi = (map.dsn.hi - (lo < 0 and 1 or 0)) % SEQ }
	end
end

local function add_map(flow, dir, side, seg)
	local map = seg.mp.map
	local conn = flow.conn
	local len = map.len - map.fin
	if map.ssn == 0 or len <= 0 then
		return -- DATA_FIN alone, or an infinite mapping
	end
	local from = near(map.ssn - 1, seg.rel)
	if dir.done[from] == from + len then
		return
	end
	for _, m in ipairs(dir.maps) do
		if m.from == from and m.to == from + len then
			return
		end
	end
	learn_base(conn, side, map, seg.rel, seg.data)
	local offset = map.first and 0 or offset_of(side, map.dsn)
	conn.mapped = conn.mapped or offset ~= nil
	if not offset then
		say(seg, { type = "lost", why = side.idsn and
			"the mapping lies outside of the stream" or
			"the key of this host is not in the capture" })
		return
	end
	if from < 0 then
		return
	end
	if #dir.maps >= MAPS_MAX then
		table.remove(dir.maps, 1)
	end
	dir.maps[#dir.maps + 1] = stream.run(side, from, len, offset)
end

local function map_at(dir, rel)
	for i, m in ipairs(dir.maps) do
		if m.from <= rel and rel < m.to then
			return m, i
		end
	end
end

local function whole_stream(side)
	if not side.whole then
		side.whole = stream.run(side, 0, nil, 0)
	end
	return side.whole
end

local function map_done(flow, dir, side, m, i)
	table.remove(dir.maps, i)
	dir.done[m.from] = m.to
	dir.done_to = math.max(dir.done_to, m.to)
	-- the stream could go on without mappings here
	if flow == flow.conn.first and m.offset == m.from then
		local whole = whole_stream(side)
		if whole.at == m.from and whole.buf == "" then
			whole.at = m.to
		end
	end
end

-- data without a mapping: RFC 8684 3.7, and smtcp(7) From the first data
local function unmapped(flow, dir, side, rel, data, seg)
	local whole = whole_stream(side)
	if flow == flow.conn.first and not flow.conn.joined and
		(not dir.dss or whole.at == rel or dir.fallen) then
		dir.fallen = true
		stream.feed(flow.conn, whole, rel, data, seg)
	elseif rel + #data <= dir.done_to then
		say(seg, { type = "again", rel = rel, len = #data })
	elseif #dir.pending < PENDING_MAX then
		dir.pending[#dir.pending + 1] = { rel = rel, data = data }
		say(seg, { type = "lost", why = "no mapping is known" })
	end
end

local function feed_mapped(flow, dir, side, rel, data, seg)
	while #data > 0 do
		local m, i = map_at(dir, rel)
		if not m then
			-- up to where the next known one begins
			local len = #data
			for _, n in ipairs(dir.maps) do
				if n.from > rel then
					len = math.min(len, n.from - rel)
				end
			end
			unmapped(flow, dir, side, rel, data:sub(1, len), seg)
			rel, data = rel + len, data:sub(len + 1)
		else
			local piece = data:sub(1, m.to - rel)
			stream.feed(flow.conn, m, rel, piece, seg)
			if m.at >= m.to or m.dead then
				map_done(flow, dir, side, m, i)
			end
			rel, data = rel + #piece, data:sub(#piece + 1)
		end
	end
end

local function retry_pending(flow, dir, side, seg)
	local list = dir.pending
	dir.pending = {}
	for _, p in ipairs(list) do
		if map_at(dir, p.rel) then
			feed_mapped(flow, dir, side, p.rel, p.data, seg)
		else
			dir.pending[#dir.pending + 1] = p
		end
	end
end

-- Segments

local function roles(flow, dir)
	local peer = peer_dir(flow, dir)
	if not dir.role and peer and peer.role then
		dir.role = other(peer.role)
	end
	return dir.role
end

local function learn_keys(flow, dir, capable)
	local role = roles(flow, dir)
	if role and capable and capable.peer_key and flow.conn.smtcp then
		learn_key(flow.conn, role, capable.key)
		learn_key(flow.conn, other(role), capable.peer_key)
	end
end

local function take_data(flow, dir, seg)
	local conn = flow.conn
	if not roles(flow, dir) then
		return
	end
	local side = conn.side[dir.role]
	seg.rel = near((seg.seq - dir.isn - 1) % SEQ, dir.next)
	if seg.rel < 0 then
		-- a keep-alive
		seg.data = seg.data:sub(1 - seg.rel)
		seg.skipped, seg.rel = -seg.rel, 0
		if #seg.data == 0 then
			return
		end
	end
	dir.next = math.max(dir.next, seg.rel + #seg.data)
	if conn.smtcp and seg.mp.map then
		add_map(flow, dir, side, seg)
		retry_pending(flow, dir, side, seg)
	end
	if conn.smtcp and (seg.mp.dss or dir.dss or dir.maps[1] or
		flow.joined or dir.done_to > 0) then
		dir.dss = dir.dss or seg.mp.dss
		feed_mapped(flow, dir, side, seg.rel, seg.data, seg)
	else
		stream.feed(conn, whole_stream(side), seg.rel,
			seg.data, seg)
	end
	if seg.cut then
		say(seg, { type = "lost",
			why = "the capture holds only a part of this packet" })
	end
end

-- host A's first segment without SYN must have ENO (RFC 8547 4.6)
local function check_third(flow, dir, seg)
	if flow.conn.first ~= flow or dir.third or roles(flow, dir) ~= "A" or
		seg.rst then
		return
	end
	dir.third = true
	if #seg.enos == 0 and dir.isn and dir.next == 0 and
		(seg.seq - dir.isn) % SEQ == 1 and not seg.mp.dss then
		say(seg, { type = "no_third" })
	end
end

-- what a segment of a connection that may be sealed brings
local function take_segment(flow, seg)
	local dir = dir_of(flow, seg.src)
	if seg.syn then
		take_syn(flow, dir, seg)
	elseif not flow.conn and #seg.data > 0 then
		guess_conn(flow, dir, seg)
	end
	local conn = flow.conn
	if conn and not seg.syn then
		learn_keys(flow, dir, seg.mp.capable)
		check_third(flow, dir, seg)
		if #seg.data > 0 and not conn.plain then
			if not dir.isn then
				local peer = peer_dir(flow, dir)
				dir.isn = peer and peer.acked
			end
			if dir.isn then
				take_data(flow, dir, seg)
			end
		end
	end
	if seg.ack then
		dir.acked = dir.acked or (seg.ack_seq - 1) % SEQ
	end
	if #seg.items > 0 then
		packets[seg.number] = { items = seg.items, conn = conn,
			flow = flow, role = dir.role, rel = seg.rel,
			skipped = seg.skipped or 0 }
	end
end

-- Takes a packet in, if it was not yet, and returns what it shows, or nil.
-- seg has number, id (tcp.stream), src (who sent it), seq, ack_seq, syn, ack,
-- rst, options, data, cut (data is not all of it); gets enos and mp, what the
-- options say.
function conns.take(seg)
	seg.enos = opt.enos(seg.options)
	seg.mp = opt.mptcp(seg.options)
	if seg.number > top then
		local flow = flows[seg.id]
		top = seg.number
		seg.items = {}
		if not flow and (seg.syn or stream.is_init(seg.data)) then
			flow = { dirs = {} }
			flows[seg.id] = flow
		end
		if flow then
			take_segment(flow, seg)
		end
	end
	return packets[seg.number]
end
