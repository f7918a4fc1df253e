-- options.lua - TCP-ENO (RFC 8547), with smtcp(7), and Multipath TCP options
--
-- All places (at) count from the first octet of the option, its kind.
local lib = ...
if type(lib) ~= "table" then
	return
end

local KIND_END, KIND_NOP, KIND_MPTCP, KIND_ENO = 0, 1, 30, 69
local FIRST_TEP, SMTCP = 0x20, 0x20
local ID_HALF, NONCE_MAX = 9, 8

local opt = {}
lib.opt = opt

local function bit(octet, value)
	return octet % (2 * value) >= value
end
opt.bit = bit

-- the options of a TCP header: a list of { kind, at, raw }, at from the first
-- octet of all; what follows an impossible length is not looked at
function opt.split(all)
	local out, at = {}, 1
	while at <= #all do
		local kind, len = all:byte(at, at + 1)
		if kind == KIND_END then
			break
		elseif kind == KIND_NOP then
			at = at + 1
		elseif not len or len < 2 or at + len - 1 > #all then
			break
		else
			out[#out + 1] = { kind = kind, at = at - 1,
				raw = all:sub(at, at + len - 1) }
			at = at + len
		end
	end
	return out
end

-- TCP-ENO

-- what an identifier and a nonce for resumption may look like
local function resumption(sub, data, at)
	if #data >= ID_HALF and #data <= ID_HALF + NONCE_MAX then
		sub.id = { at = at, raw = data:sub(1, ID_HALF) }
		sub.nonce = { at = at + ID_HALF, raw = data:sub(ID_HALF + 1) }
	else
		sub.bad_resumption = true -- is an offer of fresh keys
	end
end

local function parse_smtcp(sub)
	local data = sub.data
	if #data < 3 or data:sub(1, 2) ~= "SM" then
		sub.other = true
		return
	end
	sub.sm = {}
	for i = 3, #data do
		local o = data:byte(i)
		sub.sm[#sub.sm + 1] = { at = sub.data_at + i - 1, value = o,
			r = bit(o, 0x80), s = bit(o, 0x40), kx = o % 0x40 }
		if i == 3 and bit(o, 0x80) then
			resumption(sub, data:sub(4), sub.data_at + 3)
			break
		end
	end
end

local function add_tep(eno, at, octet, data)
	local sub = { type = "tep", at = at, tep = octet % 128,
		v = octet >= 128, data = data, data_at = at + 1,
		len = 1 + #data }
	eno.subs[#eno.subs + 1] = sub
	if sub.tep == SMTCP and sub.v then
		parse_smtcp(sub)
	elseif sub.v and sub.tep > SMTCP and sub.tep <= 0x24 then
		resumption(sub, data, sub.data_at)
	end
end

-- A length octet: the data of the suboption behind it.  false: ill-formed.
local function add_sized(eno, raw, i)
	local n = raw:byte(i) % 0x20 + 1
	local tep = raw:byte(i + 1)
	eno.subs[#eno.subs + 1] = { type = "length", at = i - 1, len = 1,
		value = n }
	if not tep or tep < 0x80 + FIRST_TEP then
		eno.ill = "a length octet is not followed by a TEP with data"
		return false
	elseif i + 1 + n > #raw then
		eno.ill = "the data that a length octet announces pass the " ..
			"end of the option"
		return false
	end
	add_tep(eno, i, tep, raw:sub(i + 2, i + 1 + n))
	return true
end

-- raw: a whole option of a segment with SYN (RFC 8547 4.1 to 4.4)
function opt.eno(raw)
	local eno = { subs = {}, raw = raw }
	local i = 3
	while i <= #raw do
		local octet = raw:byte(i)
		if octet < FIRST_TEP then
			eno.subs[#eno.subs + 1] = { type = "global", at = i - 1,
				len = 1, value = octet,
				repeated = eno.global ~= nil }
			eno.global = eno.global or octet
		elseif octet >= 0x80 and octet < 0x80 + FIRST_TEP then
			if not add_sized(eno, raw, i) then
				break
			end
			i = i + eno.subs[#eno.subs].len
		else
			local data = octet >= 0x80 and raw:sub(i + 1) or ""
			add_tep(eno, i - 1, octet, data)
			i = i + #data
		end
		i = i + 1
	end
	eno.b = bit(eno.global or 0, 1)
	eno.a = bit(eno.global or 0, 2)
	return eno
end

function opt.count(eno, tep)
	local n, sm = 0, 0
	for _, sub in ipairs(eno.subs) do
		if sub.type == "tep" and sub.tep == tep then
			n = n + 1
			sm = sm + (sub.sm and 1 or 0)
		end
	end
	return n, sm
end

-- a TEP counts when it is there once; of TEP 0x20, the one with "SM"
local function once(eno, sub)
	local n, sm = opt.count(eno, sub.tep)
	return (sub.sm and sm or n) == 1
end

local function offer_of(eno, want)
	for _, sub in ipairs(eno.subs) do
		if sub.type == "tep" and sub.tep == want.tep and
			(sub.sm ~= nil) == (want.sm ~= nil) then
			return once(eno, sub) and sub or nil
		end
	end
end

local function names_kx(sub, kx)
	for _, o in ipairs(sub.sm) do
		if o.kx == kx then
			return true
		end
	end
	return false
end

-- what host B's suboption agrees to; a is nil when host A's SYN is not known
local function agreed(a, sub)
	local offer = a and offer_of(a, sub)
	if a and not offer then
		return nil
	end
	if not sub.sm then
		if sub.tep == SMTCP or sub.tep > 0x24 then
			return nil -- nothing that is known here
		end
		return { tep = sub.tep, kx = sub.tep - 0x20,
			resumed = sub.id ~= nil }
	end
	local o = sub.sm[1]
	if offer and not names_kx(offer, o.kx) or
		o.r and (sub.bad_resumption or offer and not offer.id) or
		not o.r and #sub.sm > 1 then
		return nil
	end
	return { tep = SMTCP, kx = o.kx, smtcp = true, resumed = o.r }
end

-- The negotiated TEP (RFC 8547 4.5), the last valid one of host B's; or nil
-- and why there is none.  a may be nil.
function opt.negotiate(a, b)
	local found
	if a and a.ill or b.ill then
		return nil, "an option is ill-formed"
	elseif not b.b or a and a.b then
		return nil, "the roles (b) do not differ as they must"
	end
	for _, sub in ipairs(b.subs) do
		if sub.type == "tep" and once(b, sub) then
			found = agreed(a, sub) or found
		end
	end
	return found, "no TEP is valid in both options"
end

-- Multipath TCP (RFC 8684), as much as the stream needs

local function read64(raw, at)
	return { hi = lib.be32(raw, at), lo = lib.be32(raw, at + 4) }
end

local function parse_capable(raw, out)
	local len = #raw
	if raw:byte(3) % 16 ~= 1 then
		return -- another version
	elseif len == 4 then
		out.capable = {}
	elseif len == 12 then
		out.capable = { key = raw:sub(5, 12) }
	elseif len == 20 or len == 22 or len == 24 then
		out.capable = { key = raw:sub(5, 12),
			peer_key = raw:sub(13, 20) }
		if len > 20 then
			out.map = { first = true, ssn = 1,
				len = lib.be16(raw, 21), fin = 0 }
		end
	end
end

local function parse_dss(raw, out)
	local flags, at = raw:byte(4), 5
	if not flags then
		return
	end
	out.dss = true
	at = at + (bit(flags, 1) and (bit(flags, 2) and 8 or 4) or 0)
	if bit(flags, 4) then
		local wide = bit(flags, 8)
		local dsn_len = wide and 8 or 4
		if #raw < at + dsn_len + 5 then
			return
		end
		out.map = { ssn = lib.be32(raw, at + dsn_len),
			dsn = wide and read64(raw, at) or
				{ lo = lib.be32(raw, at) },
			len = lib.be16(raw, at + dsn_len + 4),
			fin = bit(flags, 16) and 1 or 0 }
	end
end

-- out.capable { key, peer_key }, out.token, out.dss, out.map { ssn, dsn, len,
-- fin } of the options of one segment
function opt.mptcp(list)
	local out = {}
	for _, o in ipairs(list) do
		local raw = o.raw
		if o.kind == KIND_MPTCP and #raw >= 4 then
			local subtype = (raw:byte(3) - raw:byte(3) % 16) / 16
			if subtype == 0 then
				parse_capable(raw, out)
			elseif subtype == 1 then
				out.join = true
				out.token = #raw == 12 and raw:sub(5, 8) or nil
			elseif subtype == 2 then
				parse_dss(raw, out)
			end
		end
	end
	return out
end

function opt.enos(list)
	local out = {}
	for _, o in ipairs(list) do
		if o.kind == KIND_ENO then
			out[#out + 1] = o
		end
	end
	return out
end
