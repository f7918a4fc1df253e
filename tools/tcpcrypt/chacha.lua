-- chacha.lua - opens ChaCha20-Poly1305 (RFC 8439)
local lib = ...
if type(lib) ~= "table" then
	return
end

local bxor, lrotate = lib.bits.bxor, lib.bits.lrotate
local char, concat, floor = string.char, table.concat, math.floor
local WORD = 4294967296

local function le32(s, at)
	local a, b, c, d = s:byte(at, at + 3)
	return ((d * 256 + c) * 256 + b) * 256 + a
end

local function quarter(x, a, b, c, d)
	local xa, xb, xc, xd = x[a], x[b], x[c], x[d]
	xa = (xa + xb) % WORD
	xd = lrotate(bxor(xd, xa), 16)
	xc = (xc + xd) % WORD
	xb = lrotate(bxor(xb, xc), 12)
	xa = (xa + xb) % WORD
	xd = lrotate(bxor(xd, xa), 8)
	xc = (xc + xd) % WORD
	x[b] = lrotate(bxor(xb, xc), 7)
	x[a], x[c], x[d] = xa, xc, xd
end

-- the 16 words of a block of key stream, into x
local function stream(x, state)
	for i = 1, 16 do
		x[i] = state[i]
	end
	for _ = 1, 10 do
		quarter(x, 1, 5, 9, 13)
		quarter(x, 2, 6, 10, 14)
		quarter(x, 3, 7, 11, 15)
		quarter(x, 4, 8, 12, 16)
		quarter(x, 1, 6, 11, 16)
		quarter(x, 2, 7, 12, 13)
		quarter(x, 3, 8, 9, 14)
		quarter(x, 4, 5, 10, 15)
	end
	for i = 1, 16 do
		x[i] = (x[i] + state[i]) % WORD
	end
end

local function le_octets(w)
	local a = w % 256
	w = (w - a) / 256
	local b = w % 256
	w = (w - b) / 256
	local c = w % 256
	return a, b, c, (w - c) / 256
end

local function apply(state, s)
	local out, x, n, len = {}, {}, 0, #s
	s = s .. string.rep("\0", -#s % 64)
	for at = 1, #s, 64 do
		state[13] = state[13] + 1
		stream(x, state)
		for i = 1, 16 do
			n = n + 1
			out[n] = char(le_octets(bxor(x[i],
				le32(s, at + 4 * i - 4))))
		end
	end
	return concat(out):sub(1, len)
end

-- Poly1305 with six limbs of 22 bits: products of two limbs, twelve of them
-- with the factor 20 (2^132 is 20 modulo the prime), stay below 2^53.
local L = 4194304

-- 17 octets, the least first, to limbs
local function limbs(b)
	local out, acc, room, n = {}, 0, 1, 0
	for i = 1, 17 do
		acc, room = acc + b[i] * room, room * 256
		while room >= L do
			n = n + 1
			out[n] = acc % L
			acc, room = (acc - out[n]) / L, room / L
		end
	end
	out[n + 1] = acc
	return out
end

local function carry(h)
	local c = 0
	for i = 1, 6 do
		local v = h[i] + c
		h[i] = v % L
		c = (v - h[i]) / L
	end
	h[1] = h[1] + 20 * c
end

local function multiply(h, r)
	local h1, h2, h3, h4, h5, h6 = h[1], h[2], h[3], h[4], h[5], h[6]
	local r1, r2, r3, r4, r5, r6 = r[1], r[2], r[3], r[4], r[5], r[6]
	local s2, s3, s4, s5, s6 = 20 * r2, 20 * r3, 20 * r4, 20 * r5, 20 * r6
	h[1] = h1 * r1 + h2 * s6 + h3 * s5 + h4 * s4 + h5 * s3 + h6 * s2
	h[2] = h1 * r2 + h2 * r1 + h3 * s6 + h4 * s5 + h5 * s4 + h6 * s3
	h[3] = h1 * r3 + h2 * r2 + h3 * r1 + h4 * s6 + h5 * s5 + h6 * s4
	h[4] = h1 * r4 + h2 * r3 + h3 * r2 + h4 * r1 + h5 * s6 + h6 * s5
	h[5] = h1 * r5 + h2 * r4 + h3 * r3 + h4 * r2 + h5 * r1 + h6 * s6
	h[6] = h1 * r6 + h2 * r5 + h3 * r4 + h4 * r3 + h5 * r2 + h6 * r1
	carry(h)
	carry(h)
end

-- the 22-bit limbs of the block at s[at], whose last bit is bit 128
local function add_block(h, s, at)
	local a, b, c, d, e, f, g, i, j, k, l, m, n, o, p, q =
		s:byte(at, at + 15)
	local c6, f4, k2, n1 = c % 64, f % 16, k % 4, n
	h[1] = h[1] + a + 256 * b + 65536 * c6
	h[2] = h[2] + (c - c6) / 64 + 4 * d + 1024 * e + 262144 * f4
	h[3] = h[3] + (f - f4) / 16 + 16 * g + 4096 * i + 1048576 * (j % 4)
	j = floor(j / 4)
	h[4] = h[4] + j + 64 * k + 16384 * l
	h[5] = h[5] + m + 256 * n1 + 65536 * (o % 64)
	h[6] = h[6] + floor(o / 64) + 4 * p + 1024 * q + 262144
end

-- h is below 2^132; less the prime as often as it goes, as 17 octets
local function freeze(h)
	carry(h)
	carry(h)
	for _ = 1, 5 do
		-- h + 5 - 2^130, kept when not below zero
		local g, c = {}, 5
		for i = 1, 6 do
			local v = h[i] + c
			g[i] = v % L
			c = (v - g[i]) / L
		end
		g[6] = g[6] + c * L - 1048576
		if g[6] < 0 then
			break
		end
		h = g
	end
	return h
end

local function poly1305(key, s)
	local rb, h, m = {}, { 0, 0, 0, 0, 0, 0 }, {}
	for i = 1, 17 do
		rb[i], m[i] = key:byte(i) or 0, key:byte(16 + i) or 0
	end
	rb[17] = 0
	for _, i in ipairs({ 4, 8, 12, 16 }) do
		rb[i] = rb[i] % 16
	end
	for _, i in ipairs({ 5, 9, 13 }) do
		rb[i] = rb[i] - rb[i] % 4
	end
	local r = limbs(rb)
	for at = 1, #s, 16 do
		add_block(h, s, at)
		multiply(h, r)
	end
	h = freeze(h)
	-- plus the second half of the key, modulo 2^128
	local t, c, out = limbs(m), 0, {}
	for i = 1, 6 do
		local v = h[i] + t[i] + c
		h[i] = v % L
		c = (v - h[i]) / L
	end
	local acc, room, n = 0, 1, 1
	for i = 1, 16 do
		while room < 256 do
			acc, room, n = acc + h[n] * room, room * L, n + 1
		end
		out[i] = char(acc % 256)
		acc, room = floor(acc / 256), room / 256
	end
	return concat(out)
end

local function pad16(s)
	return s .. string.rep("\0", -#s % 16)
end

local function le64(n)
	return lib.be(n, 8):reverse()
end

local chacha = {}
chacha.__index = chacha

-- key: 32 octets
function lib.chacha(key)
	return setmetatable({ key = key }, chacha)
end

-- the plaintext of ciphertext and tag, or nil
function chacha:open(nonce, aad, sealed)
	local text = sealed:sub(1, -17)
	local state, x = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 }, {}
	for i = 1, 8 do
		state[4 + i] = le32(self.key, 4 * i - 3)
	end
	state[13] = 0
	for i = 1, 3 do
		state[13 + i] = le32(nonce, 4 * i - 3)
	end
	stream(x, state)
	local one_time = {}
	for i = 1, 8 do
		one_time[i] = char(le_octets(x[i]))
	end
	local tag = poly1305(concat(one_time), pad16(aad) .. pad16(text) ..
		le64(#aad) .. le64(#text))
	if tag ~= sealed:sub(-16) then
		return nil
	end
	return apply(state, text)
end
