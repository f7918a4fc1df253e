-- hash.lua - SHA-256 (FIPS 180-4), HMAC (RFC 2104), CPRF (RFC 8548 3.1)
local lib = ...
if type(lib) ~= "table" then
	return
end

local band, bxor, bnot = lib.bits.band, lib.bits.bxor, lib.bits.bnot
local rrotate, rshift = lib.bits.rrotate, lib.bits.rshift
local WORD = 4294967296

-- The constants are the first 32 bits of the fractional parts of the square
-- and cube roots of primes.  A double holds them, with bits to spare.
local init, round = {}, {}
do
	local n = 2
	while #round < 64 do
		local prime = true
		for d = 2, math.floor(math.sqrt(n)) do
			prime = prime and n % d ~= 0
		end
		if prime then
			if #init < 8 then
				init[#init + 1] = math.floor(n ^ 0.5 % 1 * WORD)
			end
			round[#round + 1] = math.floor(n ^ (1 / 3) % 1 * WORD)
		end
		n = n + 1
	end
end

local function schedule(w, msg, at)
	for i = 1, 16 do
		w[i] = lib.be32(msg, at + 4 * i - 4)
	end
	for i = 17, 64 do
		local x, y = w[i - 15], w[i - 2]
		local s0 = bxor(rrotate(x, 7), rrotate(x, 18), rshift(x, 3))
		local s1 = bxor(rrotate(y, 17), rrotate(y, 19), rshift(y, 10))
		w[i] = (w[i - 16] + s0 + w[i - 7] + s1) % WORD
	end
end

local function block(state, w)
	local a, b, c, d = state[1], state[2], state[3], state[4]
	local e, f, g, h = state[5], state[6], state[7], state[8]
	for i = 1, 64 do
		local s1 = bxor(rrotate(e, 6), rrotate(e, 11), rrotate(e, 25))
		local ch = bxor(band(e, f), band(bnot(e), g))
		local t1 = h + s1 + ch + round[i] + w[i]
		local s0 = bxor(rrotate(a, 2), rrotate(a, 13), rrotate(a, 22))
		local maj = bxor(band(a, b), band(a, c), band(b, c))
		h, g, f, e = g, f, e, (d + t1) % WORD
		d, c, b, a = c, b, a, (t1 + s0 + maj) % WORD
	end
	local v = { a, b, c, d, e, f, g, h }
	for i = 1, 8 do
		state[i] = (state[i] + v[i]) % WORD
	end
end

function lib.sha256(msg)
	local state, w = {}, {}
	for i = 1, 8 do
		state[i] = init[i]
	end
	msg = msg .. "\128" .. string.rep("\0", (55 - #msg) % 64) ..
		lib.be(#msg * 8, 8)
	for at = 1, #msg, 64 do
		schedule(w, msg, at)
		block(state, w)
	end
	for i = 1, 8 do
		state[i] = lib.be(state[i], 4)
	end
	return table.concat(state)
end

local function pad(key, octet)
	key = key .. string.rep("\0", 64 - #key)
	return (key:gsub(".", function(c)
		return string.char(bxor(c:byte(), octet))
	end))
end

-- key: at most 64 octets
function lib.hmac(key, msg)
	return lib.sha256(pad(key, 0x5c) .. lib.sha256(pad(key, 0x36) .. msg))
end

function lib.cprf(key, what, len)
	local out, t, i = "", "", 0
	while #out < len do
		i = i + 1
		t = lib.hmac(key, t .. what .. string.char(i))
		out = out .. t
	end
	return out:sub(1, len)
end
