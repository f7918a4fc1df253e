-- show.lua - the protocol trees
local lib = ...
if type(lib) ~= "table" then
	return
end

local f, e, opt = lib.f, lib.e, lib.opt
local WORD = 4294967296

local show = {}
lib.show = show

local function name(names, value, form)
	return names[value] or string.format(form, value)
end

-- TCP-ENO.  r: the range of one option.

local function show_octets_o(tree, r, sub)
	for _, o in ipairs(sub.sm) do
		local t = tree:add(f.eno_o, r(o.at, 1))
		t:append_text(": " .. name(lib.kxs, o.kx, "key agreement %d") ..
			(o.r and ", resumption" or ""))
		t:add(f.eno_r, r(o.at, 1))
		t:add(f.eno_s, r(o.at, 1))
		t:add(f.eno_kx, r(o.at, 1))
	end
end

local function show_tep(tree, r, sub)
	local t = tree:add(f.eno_tep, r(sub.at, 1))
	if sub.sm then
		t:append_text(": SMTCP")
	end
	t:set_len(sub.len)
	t:add(f.eno_v, r(sub.at, 1))
	if #sub.data > 0 then
		t:add(f.eno_data, r(sub.data_at, #sub.data))
	end
	if sub.sm then
		t:add(f.eno_magic, r(sub.data_at, 2))
		show_octets_o(t, r, sub)
	elseif sub.other then
		t:add_proto_expert_info(e.sm_other)
	end
	if sub.id then
		t:add(f.eno_id, r(sub.id.at, #sub.id.raw))
		if #sub.nonce.raw > 0 then
			t:add(f.eno_nonce, r(sub.nonce.at, #sub.nonce.raw))
		end
	elseif sub.bad_resumption then
		t:add_proto_expert_info(e.bad_resume)
	end
	return t
end

local function show_global(tree, r, sub)
	local t = tree:add(f.eno_global, r(sub.at, 1))
	t:add(f.eno_z, r(sub.at, 1))
	t:add(f.eno_a, r(sub.at, 1))
	t:add(f.eno_b, r(sub.at, 1))
	if sub.repeated then
		t:add_proto_expert_info(e.global_again)
	end
end

local function show_syn_form(tree, r, raw)
	local eno, teps = opt.eno(raw), {}
	for _, sub in ipairs(eno.subs) do
		if sub.type == "global" then
			show_global(tree, r, sub)
		elseif sub.type == "length" then
			tree:add(f.eno_length, r(sub.at, 1), sub.value)
		else
			local t = show_tep(tree, r, sub)
			local n, sm = opt.count(eno, sub.tep)
			if (sub.tep == 0x20 and sm or n) > 1 then
				t:add_proto_expert_info(e.tep_again)
			end
			teps[#teps + 1] = string.format("0x%02x", sub.tep)
		end
	end
	if eno.ill then
		tree:add_proto_expert_info(e.ill, "Ill-formed: " .. eno.ill)
	elseif #teps == 0 then
		tree:add_proto_expert_info(e.vacuous)
	end
	tree:append_text(string.format(", host %s: %s", eno.b and "B" or "A",
		#teps > 0 and table.concat(teps, " ") or "no TEP"))
end

local function show_agreed(tree, conn)
	local t = tree:add(f.eno_agreed, conn.tep)
	t:set_generated()
	if conn.smtcp then
		t:append_text(": SMTCP, " ..
			name(lib.kxs, conn.kx, "key agreement %d"))
	end
	tree:add(f.eno_resumed, conn.resumed or false):set_generated()
end

-- The trees of all ENO options of a segment, and what came of them.
function show.eno(proto, tree, range, seg, taken)
	local top
	for i, o in ipairs(seg.enos) do
		local r = range(o.at, #o.raw)
		local t = tree:add(proto, r)
		t:add(f.eno_form, seg.syn and "SYN" or "non-SYN"):
			set_generated()
		top = top or t
		if i > 1 then
			t:add_proto_expert_info(e.two)
		end
		if seg.syn then
			if seg.mp.join then
				t:add_proto_expert_info(e.with_join)
			end
			show_syn_form(t, r, o.raw)
		elseif #o.raw > 2 then
			t:add_proto_expert_info(e.contents)
		end
	end
	for _, item in ipairs(taken and taken.items or {}) do
		if item.type == "agreed" then
			show_agreed(top or tree:add(proto), item.conn)
		elseif item.type == "none" then
			top = top or tree:add(proto)
			top:add_proto_expert_info(e.none,
				"No encryption: " .. item.why)
		elseif item.type == "no_third" then
			top = top or tree:add(proto)
			top:add_proto_expert_info(e.no_third)
		end
	end
end

-- tcpcrypt

-- octets of an item as a range: of the packet, or of a buffer of their own
local function octets(ctx, item, what)
	if item.raw then
		return ByteArray.new(item.raw, true):tvb(what)(), item.raw
	end
	local at = item.rel - ctx.taken.rel + ctx.taken.skipped
	local r = ctx.payload(at, item.len)
	return r, nil
end

local function show_init(ctx, tree, item)
	local m = item.msg
	local a = m.role == "A"
	local r = octets(ctx, item, a and "Init1" or "Init2")
	local t = tree:add(a and f.init1 or f.init2, r)
	t:add(f.magic, r(0, 4))
	t:add(f.init_len, r(4, 4))
	if m.n then
		t:add(f.n_ciphers, r(8, 1))
	end
	for _, c in ipairs(m.ciphers) do
		t:add(f.cipher, r(c.at, 2))
	end
	if m.nonce then
		t:add(f.nonce, r(m.nonce_at, 32))
	end
	if m.public_at then
		t:add(f.pubkey, r(m.public_at, m.public_len))
	end
	if (m.ignored or 0) > 0 then
		t:add(f.ignored, r(m.len - m.ignored, m.ignored))
	end
	if m.bad then
		t:add_proto_expert_info(e.bad_init, "Wrong: " .. m.bad)
	elseif m.crowded then
		t:add_proto_expert_info(e.bad_init,
			"It is not alone in its mapping")
	end
	if m.foreign then
		t:add_proto_expert_info(e.foreign)
	end
	ctx.info[#ctx.info + 1] = a and "Init1" or "Init2"
end

local function flag_names(frame)
	return (frame.rekey and ", rekey" or "") ..
		(frame.finp and ", FINp" or "") ..
		(frame.urgp and ", URGp" or "") .. (frame.sig and ", SIG" or "")
end

local function show_plain(ctx, tree, frame)
	local all = ByteArray.new(frame.plain, true):tvb("Decrypted")()
	local n = #frame.plain - frame.data_at
	local flags = tree:add(f.flags, all(0, 1))
	flags:add(f.finp, all(0, 1))
	flags:add(f.urgp, all(0, 1))
	flags:add(f.sig, all(0, 1))
	if frame.urgent then
		tree:add(f.urgent, all(1, 2))
	end
	tree:add(f.plain_len, n):set_generated()
	if n > 0 then
		tree:add(f.plain, all(frame.data_at, n))
	end
	ctx.opened = ctx.opened + n
end

-- A frame without a key may have one by now: a live capture's log grows.
local function try_again(ctx, frame)
	local raw = frame.raw
	if raw and not frame.plain and not frame.bad_tag then
		lib.keylog.find(ctx.taken.conn.id)
		if frame.tried ~= lib.keylog.generation then
			lib.stream.open(ctx.taken.conn,
				ctx.taken.conn.side[ctx.taken.role], frame, raw)
		end
	end
	if frame.plain then
		frame.raw = nil
	end
end

local function show_frame(ctx, tree, item)
	local frame, conn = item.frame, ctx.taken.conn
	local r = octets(ctx, item, "Encryption frame")
	local t = tree:add(f.frame, r)
	try_again(ctx, frame)
	local control = t:add(f.control, r(0, 1))
	control:add(f.rekey, r(0, 1))
	if conn.smtcp then
		control:add(f.phase, r(0, 1))
	end
	t:add(f.clen, r(1, 2))
	t:add(f.cipher_text, r(3))
	local low = frame.offset % WORD
	t:add(f.offset, UInt64.new(low, (frame.offset - low) / WORD)):
		set_generated()
	t:add(f.gen, frame.gen):set_generated()
	if frame.plain then
		t:add(f.verified, true):set_generated()
		show_plain(ctx, t, frame)
	elseif frame.bad_tag then
		t:add(f.verified, false):set_generated()
		t:add_proto_expert_info(e.bad_tag)
		ctx.bad = ctx.bad + 1
	else
		t:add(f.not_opened, frame.why or ""):set_generated()
	end
	if item.again then
		t:add(f.first_in, frame.number):set_generated()
	end
	for _, note in ipairs(frame.notes or {}) do
		t:add_proto_expert_info(note[1] == "rule" and e.rule or
			e.twice, note[2])
	end
	t:append_text(string.format(", offset %.0f, generation %d, %d octets%s",
		frame.offset, frame.gen, frame.len, flag_names(frame)))
	ctx.frames = ctx.frames + 1
end

local function show_rest(ctx, tree, item)
	if item.type == "part" then
		tree:add(f.part, item.len):set_generated()
		if item.part.number and item.part.number ~= ctx.number then
			tree:add(f.whole_in, item.part.number):set_generated()
		end
		ctx.info[#ctx.info + 1] = "part"
	elseif item.type == "again" then
		tree:add(f.again, item.len):set_generated()
		ctx.info[#ctx.info + 1] = "again"
	elseif item.type == "lost" then
		tree:add_proto_expert_info(e.lost, "Not followed: " .. item.why)
	elseif item.type == "dead" and item.plain then
		tree:add_proto_expert_info(e.dead,
			"Not encrypted: " .. item.why)
	elseif item.type == "dead" then
		tree:add_proto_expert_info(item.bad_frame and e.bad_frame or
			e.dead, "Lost from here on: " .. item.why)
	end
end

local function mode_of(conn)
	if conn.smtcp then
		return conn.mapped and "SMTCP" or "SMTCP, single stream"
	end
	return "tcpcrypt"
end
show.mode_of = mode_of

local function summary(ctx, top, pinfo)
	local info = ctx.info
	if ctx.frames > 0 then
		info[#info + 1] = ctx.frames .. (ctx.frames == 1 and " frame" or
			" frames")
	end
	if ctx.opened > 0 then
		info[#info + 1] = ctx.opened .. " octets decrypted"
	end
	if ctx.bad > 0 then
		info[#info + 1] = ctx.bad .. " with a wrong tag"
	end
	if #info > 0 then
		local text = table.concat(info, ", ")
		top:append_text(": " .. text)
		pinfo.cols.info:append(" [" .. text .. "]")
	end
end

local function has_data(items)
	for _, item in ipairs(items) do
		if item.type ~= "agreed" and item.type ~= "none" and
			item.type ~= "no_third" then
			return true
		end
	end
end

-- The tree of what a packet brought.  payload: the range of the TCP payload.
function show.tcpcrypt(proto, tree, pinfo, payload, taken)
	if not taken.conn or not has_data(taken.items) then
		return
	end
	local conn = taken.conn
	local ctx = { taken = taken, payload = payload, number = pinfo.number,
		info = {}, frames = 0, opened = 0, bad = 0 }
	local top = tree:add(proto, payload)
	local mode = mode_of(conn)
	top:append_text(string.format(" (%s), from host %s", mode,
		taken.role or "?"))
	top:add(f.mode, mode):set_generated()
	top:add(f.index, conn.index):set_generated()
	top:add(f.role, taken.role or "?"):set_generated()
	for _, item in ipairs(taken.items) do
		if item.type == "init" then
			show_init(ctx, top, item)
		elseif item.type == "frame" then
			show_frame(ctx, top, item)
		else
			show_rest(ctx, top, item)
		end
	end
	if conn.entry then
		top:add(f.cipher_used, conn.entry.cipher):set_generated()
		top:add(f.session, lib.hex(conn.entry.session)):set_generated()
	elseif conn.cipher then
		top:add(f.cipher_used, conn.cipher):set_generated()
	end
	summary(ctx, top, pinfo)
end
