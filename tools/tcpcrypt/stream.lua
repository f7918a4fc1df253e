-- stream.lua - one direction's stream of Init message and frames
--
-- A side is what one host of a connection seals, by offset.  A run is a piece
-- of the TCP stream that holds whole messages: under Multipath TCP the octets
-- of one mapping on one subflow, else the whole stream.  Octets are put in the
-- order of sequence numbers there; all numbers here are relative to the first
-- octet behind the SYN.
local lib = ...
if type(lib) ~= "table" then
	return
end

local INIT = { A = "\21\16\26\14", B = "\9\113\5\224" }
local INIT_MAX = 65535
local CLEN_MIN, CLEN_MAX, CLEN_MAX_SMTCP = 17, 65535, 16381
local TAG = 16
local WAITING_MAX = 16 * 1024 * 1024

local stream = {}
lib.stream = stream

function stream.side(role)
	return { role = role, gen = 0, frames = {}, top = 0, first = {} }
end

-- offset: of the run's first octet in the side's stream
function stream.run(side, from, len, offset)
	return { side = side, from = from, to = len and from + len,
		offset = offset, at = from, buf = "", early = {}, early_len = 0,
		parts = {} }
end

function stream.is_init(data)
	return data:sub(1, 4) == INIT.A and "A" or
		data:sub(1, 4) == INIT.B and "B" or nil
end

-- Init messages

local function u16s(raw, at, n)
	local out = {}
	for i = 1, n do
		out[i] = { at = at - 1 + 2 * (i - 1),
			value = lib.be16(raw, at + 2 * (i - 1)) }
	end
	return out
end

-- octets of the public key at raw[at], encoded; kx may be nil
local function public_len(raw, at, kx)
	if kx == 1 or kx == 2 then
		return at + 1 <= #raw and lib.be16(raw, at) or nil
	elseif kx == 3 or kx == 4 then
		return kx == 3 and 32 or 56
	end
	return #raw - at + 1
end

-- The fields of a whole Init message of a role; places count from 0.
function stream.parse_init(role, raw, kx)
	local m = { role = role, raw = raw, len = #raw, ciphers = {} }
	local at = 11
	if role == "A" then
		m.n = raw:byte(9) or 0
		at = 10 + 2 * m.n
	end
	if #raw < at + 31 then
		m.bad = "it is too short for its fields"
		return m
	end
	m.ciphers = u16s(raw, role == "A" and 10 or 9, m.n or 1)
	m.nonce_at, m.nonce = at - 1, raw:sub(at, at + 31)
	at = at + 32
	local n = public_len(raw, at, kx)
	if not n or n < 1 or at + n - 1 > #raw then
		m.bad = "it is too short for its public key"
		return m
	end
	m.public_at, m.public_len = at - 1, n
	m.ignored = #raw - (at + n - 1)
	return m
end

local function take_init(conn, side, raw)
	local m = stream.parse_init(side.role, raw, conn.kx)
	side.init = m
	if side.role == "A" and m.nonce then
		conn.id = conn.id or lib.hex(m.nonce)
	end
	if side.role == "B" and not m.bad then
		conn.cipher = m.ciphers[1].value
		local offered = conn.side.A.init
		for _, c in ipairs(offered and offered.ciphers or {}) do
			m.offered = m.offered or c.value == conn.cipher
		end
		m.foreign = offered and not m.offered
	end
	return { type = "init", msg = m, len = #raw }
end

-- Frames

-- generations whose frames may look like this one, the likeliest first
local function generations(conn, side, frame)
	if not conn.smtcp then
		return { frame.gen }
	end
	local out, phase = {}, frame.phase
	for _, d in ipairs({ 0, 1, -1, 2, 3, 4, 5, 6, 7, 8, -2, -3, -4 }) do
		local gen = side.gen + d
		if gen >= 0 and gen % 4 == phase then
			out[#out + 1] = gen
		end
	end
	return out
end

local function note(frame, kind, text)
	frame.notes = frame.notes or {}
	frame.notes[#frame.notes + 1] = { kind, text }
end

-- generations go up by one, at frames with rekey, in the order of offsets
local function check_order(side, frame)
	local first, gen = side.first, frame.gen
	if frame.rekey and (gen == 0 or
		(first[gen] or frame.offset) ~= frame.offset) or
		first[gen] and frame.offset < first[gen] or
		first[gen + 1] and frame.offset > first[gen + 1] then
		note(frame, "rule", "rekey bits and generations contradict " ..
			"each other")
	elseif frame.rekey then
		first[gen] = frame.offset
	end
end

-- what a frame whose tag is right says
local function read_plain(conn, side, frame, plain)
	local bit = lib.opt.bit
	frame.flags = plain:byte(1)
	frame.finp, frame.urgp = bit(frame.flags, 1), bit(frame.flags, 2)
	frame.sig = bit(frame.flags, 4)
	frame.plain = plain
	frame.data_at = 1
	if frame.urgp and #plain < 3 then
		note(frame, "rule", "URGp without the two octets of urgent")
	elseif frame.urgp then
		frame.urgent, frame.data_at = lib.be16(plain, 2), 3
	end
	if frame.sig and conn.smtcp then
		note(frame, "rule", "SIG without agreement")
	end
	if frame.finp then
		side.fin = side.fin or frame.offset
	end
	if side.fin and frame.offset > side.fin then
		note(frame, "rule", "a frame behind FINp")
	end
	check_order(side, frame)
end

-- Tries to open a frame; raw: its octets.
function stream.open(conn, side, frame, raw)
	local log = lib.keylog
	local list, why
	if conn.id then
		list, why = log.find(conn.id)
	else
		why = "the handshake is not in the capture"
	end
	frame.tried = log.generation
	frame.why = why
	for _, entry in ipairs(conn.entry and { conn.entry } or list or {}) do
		if not log.knows(entry) then
			frame.why = string.format("cipher 0x%04x is not known",
				entry.cipher)
			break
		end
		if conn.smtcp == nil then
			conn.smtcp = entry.session:byte(1) == 0xa0
		end
		for _, gen in ipairs(generations(conn, side, frame)) do
			local plain = log.open(entry, side.role, gen,
				frame.offset, raw)
			if plain then
				conn.entry, frame.gen = entry, gen
				frame.why, frame.bad_tag = nil, nil
				read_plain(conn, side, frame, plain)
				return
			end
		end
		frame.bad_tag = true
	end
end

-- the generation as it seems from what is in the clear
local function guess(conn, side, frame)
	local bit = lib.opt.bit
	frame.rekey = bit(frame.control, 1)
	frame.phase = (frame.control - frame.control % 2) / 2 % 4
	if conn.smtcp == nil and frame.phase ~= 0 then
		conn.smtcp = true
	end
	frame.gen = side.gen
	if not conn.smtcp then
		frame.gen = side.gen + (frame.rekey and 1 or 0)
		return
	end
	for _, d in ipairs({ 0, 1, -1, 2 }) do
		local gen = side.gen + d
		if gen >= 0 and gen % 4 == frame.phase then
			frame.gen = gen
			return
		end
	end
end

local function take_frame(conn, side, raw, offset)
	local known = side.frames[offset]
	if known and known.mark == raw:sub(1, 3) .. raw:sub(-TAG) then
		return { type = "frame", frame = known, len = #raw,
			again = true }
	end
	local frame = { offset = offset, len = #raw, control = raw:byte(1),
		clen = #raw - 3, mark = raw:sub(1, 3) .. raw:sub(-TAG) }
	guess(conn, side, frame)
	stream.open(conn, side, frame, raw)
	if known then
		note(frame, "twice", string.format("frame %d has other " ..
			"octets for this offset", known.number))
	end
	if frame.plain or not known and not frame.bad_tag then
		side.frames[offset] = frame
		side.gen = math.max(side.gen, frame.gen)
	end
	if offset >= side.top then
		side.top = offset + #raw
	end
	return { type = "frame", frame = frame, len = #raw }
end

-- The next whole message at the front of what is there: an item, or nil when
-- octets are missing or nothing can be told any more (run.dead says why).
local function next_item(conn, run)
	local side, buf = run.side, run.buf
	local offset = run.offset + (run.at - #buf - run.from)
	local len
	local init = offset == 0 and not conn.resumed
	if #buf < 3 then
		if run.at == run.to and #buf > 0 then
			run.dead = "the mapping ends inside of a frame"
			run.bad_frame = true
		end
		return nil
	end
	if init then
		if buf:sub(1, 4) ~= INIT[side.role]:sub(1, #buf) then
			run.dead = "no Init message where the stream begins"
			conn.plain = not side.init and not conn.mapped
			return nil
		end
		len = #buf >= 8 and lib.be32(buf, 5) or 8
		if len < 8 or len > INIT_MAX then
			run.dead = "an Init message of " .. len .. " octets"
			return nil
		end
	else
		local clen = lib.be16(buf, 2)
		local most = conn.smtcp and CLEN_MAX_SMTCP or CLEN_MAX
		len = 3 + clen
		if clen < CLEN_MIN or clen > most then
			run.dead = "a frame with a clen of " .. clen
			run.bad_frame = true
			return nil
		end
	end
	if run.to and run.at - #buf + len > run.to then
		run.dead = (init and "an Init message" or "a frame") ..
			" passes the end of its mapping"
		run.bad_frame = true
		return nil
	end
	if #buf < len then
		return nil
	end
	local raw = buf:sub(1, len)
	run.buf = buf:sub(len + 1)
	if init then
		local item = take_init(conn, side, raw)
		item.msg.crowded = run.to and run.to - run.from ~= len
		return item, raw
	end
	return take_frame(conn, side, raw, offset), raw
end

-- Feeding

-- octets that wait until something before them has come, or is whole
local function part(run, rel, len, seg)
	local p = { from = rel, to = rel + len }
	run.parts[#run.parts + 1] = p
	seg.items[#seg.items + 1] = { type = "part", part = p, rel = rel,
		len = len }
end

local function settle(run, number)
	local done, left = run.at - #run.buf, {}
	for _, p in ipairs(run.parts) do
		if p.to <= done then
			p.number = number
		else
			left[#left + 1] = p
		end
	end
	run.parts = left
end

local function append(run, rel, data)
	if rel < run.at then
		data = data:sub(run.at - rel + 1)
	end
	run.buf = run.buf .. data
	run.at = run.at + #data
end

-- octets that came before their time and now follow
local function append_early(run)
	local again = run.early_len > 0
	while again do
		again = false
		for i = #run.early, 1, -1 do
			local e = run.early[i]
			if e.rel <= run.at then
				table.remove(run.early, i)
				run.early_len = run.early_len - #e.data
				append(run, e.rel, e.data)
				again = #run.early > 0
			end
		end
	end
end

local function cut(conn, run, seg)
	while not run.dead do
		local before = run.at - #run.buf
		local item, raw = next_item(conn, run)
		if not item then
			break
		end
		item.rel = before
		item.side = run.side
		if before < seg.rel or
			before + item.len > seg.rel + #seg.data then
			item.raw = raw -- is not in one piece in this packet
		end
		if item.frame and not item.again then
			item.frame.number = seg.number
			item.frame.raw = not item.frame.plain and raw or nil
		end
		seg.items[#seg.items + 1] = item
	end
	if run.dead and not run.told then
		run.told = true
		seg.items[#seg.items + 1] = { type = "dead", why = run.dead,
			bad_frame = run.bad_frame, plain = conn.plain }
		run.buf, run.early = "", {}
	end
end

-- Octets of a segment that belong to a run.  seg has rel and data of the whole
-- segment, and takes the items that come of it.
function stream.feed(conn, run, rel, data, seg)
	if run.dead then
		return
	end
	local stop = rel + #data
	if stop <= run.at then
		seg.items[#seg.items + 1] = { type = "again", rel = rel,
			len = #data }
		return
	end
	if rel > run.at then
		run.early[#run.early + 1] = { rel = rel, data = data }
		run.early_len = run.early_len + #data
		part(run, rel, #data, seg)
		if run.early_len > WAITING_MAX then
			run.dead = "octets are missing in the capture"
			cut(conn, run, seg)
		end
		return
	end
	append(run, rel, data)
	append_early(run)
	cut(conn, run, seg)
	local first = math.max(run.at - #run.buf, rel)
	if not run.dead and first < stop then
		part(run, first, stop - first, seg)
	end
	settle(run, seg.number)
end
