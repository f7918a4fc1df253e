-- fields.lua - what display filters and tshark -e can name
local lib = ...
if type(lib) ~= "table" then
	return
end

local f, e = {}, {}
lib.f, lib.e = f, e

lib.teps = {
	[0x20] = "experimental",
	[0x21] = "tcpcrypt, ECDHE-P256",
	[0x22] = "tcpcrypt, ECDHE-P521",
	[0x23] = "tcpcrypt, ECDHE-Curve25519",
	[0x24] = "tcpcrypt, ECDHE-Curve448",
}
for tep = 0x70, 0x7f do
	lib.teps[tep] = "reserved"
end
lib.kxs = { [1] = "ECDHE-P256", [2] = "ECDHE-P521", [3] = "ECDHE-Curve25519",
	[4] = "ECDHE-Curve448" }
lib.ciphers = { [0x0001] = "AES-128-GCM", [0x0002] = "AES-256-GCM",
	[0x0010] = "ChaCha20-Poly1305" }

local function eno_fields()
	f.eno_form = ProtoField.string("eno.form", "Form")
	f.eno_global = ProtoField.uint8("eno.global", "Global suboption",
		base.HEX)
	f.eno_z = ProtoField.uint8("eno.global.z", "Zero, ignored", base.HEX,
		nil, 0x1c)
	f.eno_a = ProtoField.bool("eno.global.a", "Application-aware", 8, nil,
		0x02)
	f.eno_b = ProtoField.bool("eno.global.b", "Passive role (host B)", 8,
		nil, 0x01)
	f.eno_length = ProtoField.uint8("eno.length",
		"Length octet: octets of data in the next suboption", base.DEC)
	f.eno_tep = ProtoField.uint8("eno.tep", "TEP", base.HEX, lib.teps, 0x7f)
	f.eno_v = ProtoField.bool("eno.tep.v", "Data follow (v)", 8, nil, 0x80)
	f.eno_data = ProtoField.bytes("eno.tep.data", "Suboption data")
	f.eno_magic = ProtoField.string("eno.smtcp.magic", "Magic")
	f.eno_o = ProtoField.uint8("eno.smtcp.o", "Octet o", base.HEX)
	f.eno_r = ProtoField.bool("eno.smtcp.r", "Resumption (R)", 8, nil, 0x80)
	f.eno_s = ProtoField.bool("eno.smtcp.s", "Signalling frames (S)", 8,
		nil, 0x40)
	f.eno_kx = ProtoField.uint8("eno.smtcp.kx", "Key agreement", base.DEC,
		lib.kxs, 0x3f)
	f.eno_id = ProtoField.bytes("eno.resume.id", "Resumption id, a half")
	f.eno_nonce = ProtoField.bytes("eno.resume.nonce", "Resumption nonce")
	f.eno_agreed = ProtoField.uint8("eno.negotiated", "Negotiated TEP",
		base.HEX, lib.teps)
	f.eno_resumed = ProtoField.bool("eno.resumed", "Session is resumed")
end

local function tcpcrypt_fields()
	f.mode = ProtoField.string("tcpcrypt.mode", "Mode")
	f.index = ProtoField.uint32("tcpcrypt.stream", "Sealed connection")
	f.role = ProtoField.string("tcpcrypt.role", "Sent by host")
	f.cipher_used = ProtoField.uint16("tcpcrypt.cipher", "Cipher in use",
		base.HEX, lib.ciphers)
	f.session = ProtoField.string("tcpcrypt.session_id",
		"Session id, from the key log")
	f.init1 = ProtoField.none("tcpcrypt.init1", "Init1")
	f.init2 = ProtoField.none("tcpcrypt.init2", "Init2")
	f.magic = ProtoField.uint32("tcpcrypt.init.magic", "Magic", base.HEX)
	f.init_len = ProtoField.uint32("tcpcrypt.init.length",
		"Length of the message", base.DEC)
	f.n_ciphers = ProtoField.uint8("tcpcrypt.init.nciphers", "Ciphers",
		base.DEC)
	f.cipher = ProtoField.uint16("tcpcrypt.init.cipher", "Cipher", base.HEX,
		lib.ciphers)
	f.nonce = ProtoField.bytes("tcpcrypt.init.nonce", "Nonce")
	f.pubkey = ProtoField.bytes("tcpcrypt.init.pubkey", "Public key")
	f.ignored = ProtoField.bytes("tcpcrypt.init.ignored", "Ignored octets")
	f.frame = ProtoField.none("tcpcrypt.frame", "Encryption frame")
	f.control = ProtoField.uint8("tcpcrypt.frame.control", "Control",
		base.HEX)
	f.rekey = ProtoField.bool("tcpcrypt.frame.rekey", "Rekey", 8, nil, 0x01)
	f.phase = ProtoField.uint8("tcpcrypt.frame.phase", "Phase", base.DEC,
		nil, 0x06)
	f.clen = ProtoField.uint16("tcpcrypt.frame.clen", "Length (clen)",
		base.DEC)
	f.cipher_text = ProtoField.bytes("tcpcrypt.frame.ciphertext",
		"Ciphertext and tag")
	f.offset = ProtoField.uint64("tcpcrypt.frame.offset",
		"Offset in the stream", base.DEC)
	f.gen = ProtoField.uint32("tcpcrypt.frame.generation",
		"Generation of the keys", base.DEC)
	f.not_opened = ProtoField.string("tcpcrypt.not_opened", "Not decrypted")
	f.verified = ProtoField.bool("tcpcrypt.verified", "Tag is right")
	f.flags = ProtoField.uint8("tcpcrypt.flags", "Flags", base.HEX)
	f.finp = ProtoField.bool("tcpcrypt.flags.finp", "FINp", 8, nil, 0x01)
	f.urgp = ProtoField.bool("tcpcrypt.flags.urgp", "URGp", 8, nil, 0x02)
	f.sig = ProtoField.bool("tcpcrypt.flags.sig", "SIG", 8, nil, 0x04)
	f.urgent = ProtoField.uint16("tcpcrypt.urgent", "Urgent", base.DEC)
	f.plain = ProtoField.bytes("tcpcrypt.decrypted", "Data")
	f.plain_len = ProtoField.uint32("tcpcrypt.decrypted.len",
		"Octets of data", base.DEC)
	f.first_in = ProtoField.framenum("tcpcrypt.frame.first_in",
		"The same octets were in")
	f.part = ProtoField.uint32("tcpcrypt.part",
		"Octets of a message that is not whole yet", base.DEC)
	f.whole_in = ProtoField.framenum("tcpcrypt.whole_in", "Whole in")
	f.again = ProtoField.uint32("tcpcrypt.again",
		"Octets that were here before (retransmission)", base.DEC)
end

local function eno_experts()
	local bad, note = expert.group.MALFORMED, expert.group.PROTOCOL
	local level = expert.severity
	local function add(abbr, text, group, severity)
		return ProtoExpert.new("eno." .. abbr, text, group, severity)
	end
	e.ill = add("ill_formed", "The option is ill-formed: as if it were " ..
		"not there, no encryption", bad, level.ERROR)
	e.two = add("twice", "More than one ENO option: none counts", bad,
		level.ERROR)
	e.contents = add("contents", "Contents in the non-SYN form, which " ..
		"have no meaning", note, level.NOTE)
	e.vacuous = add("vacuous", "Vacuous: no TEP, no encryption", note,
		level.NOTE)
	e.global_again = add("global.repeated", "Another global suboption: " ..
		"ignored", note, level.NOTE)
	e.tep_again = add("tep.repeated", "A TEP more than once: none of " ..
		"them is valid", note, level.WARN)
	e.sm_other = add("smtcp.other", "TEP 0x20 without \"SM\": another " ..
		"experiment", note, level.NOTE)
	e.bad_resume = add("resume.bad", "Not 9 to 17 octets for " ..
		"resumption: an offer of fresh keys", note, level.NOTE)
	e.with_join = add("with_join", "ENO on a SYN with MP_JOIN is ignored",
		note, level.NOTE)
	e.none = add("none", "No encryption", note, level.NOTE)
	e.no_third = add("missing", "Host A's first segment has no ENO: " ..
		"host B disables encryption", note, level.WARN)
	return { e.ill, e.two, e.contents, e.vacuous, e.global_again,
		e.tep_again, e.sm_other, e.bad_resume, e.with_join, e.none,
		e.no_third }
end

local function tcpcrypt_experts()
	local bad, note = expert.group.MALFORMED, expert.group.PROTOCOL
	local order, level = expert.group.SEQUENCE, expert.severity
	local function add(abbr, text, group, severity)
		return ProtoExpert.new("tcpcrypt." .. abbr, text, group,
			severity)
	end
	e.bad_init = add("bad_init", "The Init message is wrong", bad,
		level.ERROR)
	e.foreign = add("cipher_not_offered", "Init1 did not offer this " ..
		"cipher", note, level.ERROR)
	e.bad_tag = add("bad_tag", "The tag is wrong, or the key log is",
		expert.group.CHECKSUM, level.ERROR)
	e.rule = add("rule", "A verified frame that breaks a rule", note,
		level.ERROR)
	e.twice = add("sealed_twice", "Other octets for a place in the " ..
		"stream", order, level.WARN)
	e.bad_frame = add("bad_frame", "A bad frame", bad, level.ERROR)
	e.dead = add("lost", "The stream cannot be followed", order, level.WARN)
	e.lost = add("not_followed", "Octets that cannot be placed", order,
		level.NOTE)
	e.internal = add("internal", "An error of this dissector",
		expert.group.DEBUG, level.WARN)
	return { e.bad_init, e.foreign, e.bad_tag, e.rule, e.twice,
		e.bad_frame, e.dead, e.lost, e.internal }
end

local function list(of_eno)
	local out = {}
	for name, field in pairs(f) do
		if (name:sub(1, 4) == "eno_") == of_eno then
			out[#out + 1] = field
		end
	end
	return out
end

function lib.fields(eno, tcpcrypt)
	eno_fields()
	tcpcrypt_fields()
	eno.fields, tcpcrypt.fields = list(true), list(false)
	eno.experts, tcpcrypt.experts = eno_experts(), tcpcrypt_experts()
end
