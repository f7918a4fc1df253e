-- keylog.lua - the key log, and the keys that follow from it
--
--   TCPCRYPT_MK0 ID CIPHER ab|ba MK0 SESSION_ID
--
-- in hexadecimal.  ID is N_A of Init1, or for a resumed session the ENO option
-- of host A.  ab: host A of this connection seals with k_ab.  The file is read
-- again when it has grown, so that a live capture finds its keys.
local lib = ...
if type(lib) ~= "table" then
	return
end

local NONCE_LEN = 12
local CONTEXTS = 32 -- tables of 0.3 MB each

local ciphers = {
	[0x0001] = { key = 16, make = "gcm" },
	[0x0002] = { key = 32, make = "gcm" },
	[0x0010] = { key = 32, make = "chacha" },
}

local log = { path = nil, size = 0, lines = {}, generation = 0 }
lib.keylog = log

function log.start(path)
	log.path = path ~= "" and path or nil
	log.size, log.lines, log.looked, log.err = 0, {}, nil, nil
	log.generation = log.generation + 1
	log.contexts, log.order = {}, {}
end

local function take_line(line)
	local id, cipher, way, mk0, session = line:match(
		"^TCPCRYPT_MK0%s+(%x+)%s+(%x+)%s+(%a+)%s+(%x+)%s+(%x+)%s*$")
	if not id or #mk0 ~= 64 or #session ~= 66 or
		way ~= "ab" and way ~= "ba" then
		return
	end
	id = id:lower()
	local list = log.lines[id] or {}
	for _, known in ipairs(list) do
		if known.mk[0] == lib.unhex(mk0) and known.way == way then
			return -- both ends wrote it
		end
	end
	list[#list + 1] = { id = id, cipher = tonumber(cipher, 16), way = way,
		mk = { [0] = lib.unhex(mk0) }, session = lib.unhex(session),
		serial = #list + 1 }
	log.lines[id] = list
	log.generation = log.generation + 1
end

local function refresh()
	local now = os.time()
	if not log.path or log.looked == now then
		return
	end
	log.looked = now
	local f, err = io.open(log.path, "rb")
	if not f then
		log.err = err
		return
	end
	local size = f:seek("end") or 0
	if size < log.size then
		log.size, log.lines = 0, {} -- another file by now
	end
	if size > log.size then
		f:seek("set", log.size)
		local text = f:read("*a") or ""
		for line in text:gmatch("[^\n]+") do
			take_line(line)
		end
		-- a last line that is not whole yet is read again
		log.size = log.size + #(text:match("^.*\n") or "")
	end
	f:close()
	log.err = nil
end

-- the entries for an ID, or nil and why there is none
function log.find(id)
	if not log.path then
		return nil, "no key log"
	end
	local list = log.lines[id]
	if not list then
		refresh()
		list = log.lines[id]
	end
	if list then
		return list
	elseif log.err then
		return nil, "key log cannot be read: " .. log.err
	end
	return nil, "not in the key log"
end

local function context(entry, label, gen)
	local name = table.concat({ entry.id, entry.serial, label, gen }, " ")
	local c = log.contexts[name]
	if c then
		return c
	end
	local kind = ciphers[entry.cipher]
	local mk = entry.mk -- from 0
	while #mk < gen do
		mk[#mk + 1] = lib.cprf(mk[#mk], "\3", 32)
	end
	local traffic = lib.cprf(mk[gen], label, kind.key + NONCE_LEN)
	c = { aead = lib[kind.make](traffic:sub(1, kind.key)),
		nonce = traffic:sub(-NONCE_LEN) }
	log.contexts[name] = c
	table.insert(log.order, name)
	if #log.order > CONTEXTS then
		log.contexts[table.remove(log.order, 1)] = nil
	end
	return c
end

function log.knows(entry)
	return ciphers[entry.cipher] ~= nil
end

-- The plaintext of a whole frame that role "A" or "B" sealed at an offset, or
-- nil when the tag is wrong.
function log.open(entry, role, gen, offset, frame)
	local ab = (role == "A") == (entry.way == "ab")
	local c = context(entry, ab and "\4" or "\5", gen)
	local place, nonce = lib.be(offset, NONCE_LEN), {}
	for i = 1, NONCE_LEN do
		nonce[i] = string.char(lib.bits.bxor(place:byte(i),
			c.nonce:byte(i)))
	end
	return c.aead:open(table.concat(nonce), frame:sub(1, 3), frame:sub(4))
end
