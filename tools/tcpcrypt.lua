-- tcpcrypt.lua - Wireshark and tshark show TCP-ENO, tcpcrypt and SMTCP
--
-- TCP-ENO is RFC 8547, tcpcrypt RFC 8548, SMTCP the page smtcp(7).
--
--   tshark -X lua_script:tools/tcpcrypt.lua -o tcpcrypt.keylog:FILE -r FILE
--
-- or copy this file and the folder tcpcrypt beside it into the folder of
-- personal Lua plugins (Help, About, Folders).  Without the preference
-- "tcpcrypt.keylog" the file that the variable MPTCP_KEYLOG names is used.
-- Needs Wireshark 3.6 or later with Lua 5.2 or later.
--
-- Filters: eno, eno.tep, eno.ill_formed, eno.negotiated, tcpcrypt.init1,
-- tcpcrypt.init2, tcpcrypt.frame.clen, tcpcrypt.frame.generation,
-- tcpcrypt.flags.finp, tcpcrypt.decrypted, tcpcrypt.bad_tag,
-- tcpcrypt.not_opened, and what fields.lua has more.  All plaintext of a
-- connection, in the order in which it came:
--
--   ... -Y 'tcpcrypt.stream == 0 && tcpcrypt.role == "A"' -T fields
--       -e tcpcrypt.frame.offset -e tcpcrypt.decrypted
--
-- Everything is computed by the interpreter, with no library.  10 MB take 5 s
-- (AES-128-GCM), 6 s (AES-256-GCM), 7 s (ChaCha20-Poly1305) on a machine of
-- 2023, once for each reading of the file; a wrong tag is found eight times
-- as fast.  Memory holds what was decrypted.
--
-- What is not seen: in a stream without mappings nothing can be followed
-- behind octets that the capture lacks, as the beginnings of frames are not
-- marked.  A mapping stands for itself.

local here = debug.getinfo(1, "S").source:match("^@(.*[/\\])") or ""
local lib = {}

for _, part in ipairs({ "bits", "hash", "gcm", "chacha", "options", "keylog",
	"stream", "conn", "fields", "show" }) do
	assert(loadfile(here .. "tcpcrypt/" .. part .. ".lua"))(lib)
end

local eno = Proto("eno", "TCP Encryption Negotiation Option")
local tcpcrypt = Proto("tcpcrypt", "tcpcrypt")
lib.fields(eno, tcpcrypt)
tcpcrypt.prefs.keylog = Pref.string("Key log", "",
	"The file that mptcp-run --keylog wrote; without it, the one that " ..
	"the environment variable MPTCP_KEYLOG names")

local get = {}
for _, name in ipairs({ "tcp.stream", "tcp.seq_raw", "tcp.ack_raw",
	"tcp.flags", "tcp.len", "tcp.options", "tcp.payload", "icmp.type",
	"icmpv6.type" }) do
	get[name] = Field.new(name)
end

function eno.init()
	local path = tcpcrypt.prefs.keylog
	if path == "" then
		path = os.getenv("MPTCP_KEYLOG") or ""
	end
	lib.keylog.start(path)
	lib.conns.start()
end

-- the one value of a field; nil: none, or one of several TCP headers
local function one(name)
	local first, second = get[name]()
	return not second and first or nil
end

local function read_packet(pinfo)
	local stream, seq = one("tcp.stream"), one("tcp.seq_raw")
	local flags = one("tcp.flags")
	if not stream or not seq or not flags or one("icmp.type") or
		one("icmpv6.type") then
		return nil
	end
	local options, payload = one("tcp.options"), one("tcp.payload")
	local ack, len = one("tcp.ack_raw"), one("tcp.len")
	local bits = flags.value
	local seg = { number = pinfo.number, id = stream.value,
		src = tostring(pinfo.src) .. " " .. pinfo.src_port,
		seq = seq.value, ack_seq = ack and ack.value or 0,
		syn = lib.opt.bit(bits, 0x02), rst = lib.opt.bit(bits, 0x04),
		ack = lib.opt.bit(bits, 0x10),
		options = options and lib.opt.split(options.range:raw()) or {},
		data = payload and payload.range:raw() or "" }
	seg.cut = len and #seg.data < len.value
	return seg, options and options.range, payload and payload.range
end

local function dissect(pinfo, tree)
	local seg, options, payload = read_packet(pinfo)
	if not seg then
		return
	end
	local taken = lib.conns.take(seg)
	local flow = seg.syn and lib.conns.flow(seg.id)
	if flow and flow.conn then
		-- the sealed payload is nobody else's
		pinfo.conversation = tcpcrypt
	end
	lib.show.eno(eno, tree, options, seg, taken)
	if taken then
		lib.show.tcpcrypt(tcpcrypt, tree, pinfo, payload, taken)
	end
end

function eno.dissector(_, pinfo, tree)
	local ok, err = pcall(dissect, pinfo, tree)
	if not ok then
		tree:add(tcpcrypt):add_proto_expert_info(lib.e.internal,
			"An error of this dissector: " .. tostring(err))
	end
end

-- Sealed payload would look like garbage of the protocol that has the port.
function tcpcrypt.dissector(buffer, pinfo)
	local stream = one("tcp.stream")
	local flow = stream and lib.conns.flow(stream.value)
	local conn = flow and flow.conn
	if not conn or conn.plain or not conn.resumed and
		not conn.side.A.init and
		not lib.stream.is_init(buffer():raw()) then
		return 0 -- the handshake said sealed, and the stream is not
	end
	pinfo.cols.protocol = conn.smtcp and "SMTCP" or "tcpcrypt"
	return buffer:len()
end

register_postdissector(eno)

-- A listener with a filter makes Wireshark fill in the fields of TCP on its
-- first pass, when it shows no tree yet.  (tshark -2 does not care; there the
-- packets are taken on the second pass.)
lib.listener = Listener.new("frame", "tcp")
function lib.listener.packet()
end
