-- gcm.lua - opens AES-128-GCM and AES-256-GCM (FIPS 197, SP 800-38D)
--
-- Written for the speed of an interpreter: AES by four tables of words, GHASH
-- by 16 tables of 256 products.  A word is taken apart by arithmetic, which
-- costs less than a call.
local lib = ...
if type(lib) ~= "table" then
	return
end

local bxor = lib.bits.bxor
local char, concat = string.char, table.concat

local T0, T1, T2, T3 = {}, {}, {}, {} -- SubBytes and MixColumns of one octet
local S = {}

local function double8(x)
	x = x * 2
	return x > 255 and bxor(x, 0x11b) or x
end

do
	-- inverses by the powers of 3, which generates the field
	local exp, log, x = {}, {}, 1
	for i = 0, 254 do
		exp[i], log[x] = x, i
		x = bxor(x, double8(x))
	end
	for i = 0, 255 do
		local q = i == 0 and 0 or exp[(255 - log[i]) % 255]
		local s = q
		for _ = 1, 4 do
			q = q * 2 % 256 + (q > 127 and 1 or 0)
			s = bxor(s, q)
		end
		s = bxor(s, 0x63)
		S[i] = s
		local s2 = double8(s)
		local s3 = bxor(s2, s)
		T0[i] = ((s2 * 256 + s) * 256 + s) * 256 + s3
		T1[i] = ((s3 * 256 + s2) * 256 + s) * 256 + s
		T2[i] = ((s * 256 + s3) * 256 + s2) * 256 + s
		T3[i] = ((s * 256 + s) * 256 + s3) * 256 + s2
	end
end

local function sub_word(w)
	local d = w % 256
	w = (w - d) / 256
	local c = w % 256
	w = (w - c) / 256
	local b = w % 256
	return ((S[(w - b) / 256] * 256 + S[b]) * 256 + S[c]) * 256 + S[d]
end

-- the words of all round keys
local function expand(key)
	local k, n, rcon = {}, #key / 4, 1
	for i = 1, n do
		k[i] = lib.be32(key, 4 * i - 3)
	end
	for i = n + 1, 4 * (n + 7) do
		local t = k[i - 1]
		if (i - 1) % n == 0 then
			t = t % 16777216 * 256 + (t - t % 16777216) / 16777216
			t = bxor(sub_word(t), rcon * 16777216)
			rcon = double8(rcon)
		elseif n > 6 and (i - 1) % n == 4 then
			t = sub_word(t)
		end
		k[i] = bxor(k[i - n], t)
	end
	return k
end

local function encrypt(k, a, b, c, d)
	a, b, c, d = bxor(a, k[1]), bxor(b, k[2]), bxor(c, k[3]), bxor(d, k[4])
	local a1, a2, a3, b1, b2, b3, c1, c2, c3, d1, d2, d3
	local last = #k - 3
	for i = 5, last, 4 do
		a3 = a % 256; a = (a - a3) / 256
		a2 = a % 256; a = (a - a2) / 256
		a1 = a % 256; a = (a - a1) / 256
		b3 = b % 256; b = (b - b3) / 256
		b2 = b % 256; b = (b - b2) / 256
		b1 = b % 256; b = (b - b1) / 256
		c3 = c % 256; c = (c - c3) / 256
		c2 = c % 256; c = (c - c2) / 256
		c1 = c % 256; c = (c - c1) / 256
		d3 = d % 256; d = (d - d3) / 256
		d2 = d % 256; d = (d - d2) / 256
		d1 = d % 256; d = (d - d1) / 256
		if i == last then
			break
		end
		a, b, c, d =
			bxor(T0[a], T1[b1], T2[c2], T3[d3], k[i]),
			bxor(T0[b], T1[c1], T2[d2], T3[a3], k[i + 1]),
			bxor(T0[c], T1[d1], T2[a2], T3[b3], k[i + 2]),
			bxor(T0[d], T1[a1], T2[b2], T3[c3], k[i + 3])
	end
	a, b, c, d = ((S[a] * 256 + S[b1]) * 256 + S[c2]) * 256 + S[d3],
		((S[b] * 256 + S[c1]) * 256 + S[d2]) * 256 + S[a3],
		((S[c] * 256 + S[d1]) * 256 + S[a2]) * 256 + S[b3],
		((S[d] * 256 + S[a1]) * 256 + S[b2]) * 256 + S[c3]
	return bxor(a, k[last]), bxor(b, k[last + 1]), bxor(c, k[last + 2]),
		bxor(d, k[last + 3])
end

-- half of a product: bits go from the most significant to the least, and what
-- falls out comes back as the field's polynomial
local function shift(w)
	local out, carry = {}, 0
	for i = 1, 4 do
		local low = w[i] % 2
		out[i] = (w[i] - low) / 2 + carry * 2147483648
		carry = low
	end
	if carry == 1 then
		out[1] = bxor(out[1], 0xe1000000)
	end
	return out
end

-- 64 tables: for each octet of a block, for each word of the product, by the
-- value of the octet
local function products(h)
	local all = {}
	for octet = 0, 15 do
		local w = { { [0] = 0 }, { [0] = 0 }, { [0] = 0 }, { [0] = 0 } }
		local bit = 128
		while bit >= 1 do
			for i = 1, 4 do
				w[i][bit] = h[i]
			end
			h = shift(h)
			bit = bit / 2
		end
		for i = 1, 4 do
			local t, size = w[i], 1
			while size < 256 do
				local top = t[size]
				for low = 1, size - 1 do
					t[size + low] = bxor(top, t[low])
				end
				size = size * 2
			end
			all[4 * octet + i] = t
		end
	end
	return all
end

-- takes all the blocks of s into the state y; #s is a multiple of 16
local function ghash(p, y, s)
	local p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15,
		p16, p17, p18, p19, p20, p21, p22, p23, p24, p25, p26, p27, p28,
		p29, p30, p31, p32, p33, p34, p35, p36, p37, p38, p39, p40, p41,
		p42, p43, p44, p45, p46, p47, p48, p49, p50, p51, p52, p53, p54,
		p55, p56, p57, p58, p59, p60, p61, p62, p63, p64 =
			table.unpack(p)
	local y1, y2, y3, y4 = y[1], y[2], y[3], y[4]
	for at = 1, #s, 16 do
		local a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, q =
			s:byte(at, at + 15)
		local w = bxor(y1, ((a * 256 + b) * 256 + c) * 256 + d)
		local x = bxor(y2, ((e * 256 + f) * 256 + g) * 256 + h)
		local z = bxor(y3, ((i * 256 + j) * 256 + k) * 256 + l)
		local v = bxor(y4, ((m * 256 + n) * 256 + o) * 256 + q)
		d = w % 256; w = (w - d) / 256
		c = w % 256; w = (w - c) / 256
		b = w % 256; a = (w - b) / 256
		h = x % 256; x = (x - h) / 256
		g = x % 256; x = (x - g) / 256
		f = x % 256; e = (x - f) / 256
		l = z % 256; z = (z - l) / 256
		k = z % 256; z = (z - k) / 256
		j = z % 256; i = (z - j) / 256
		q = v % 256; v = (v - q) / 256
		o = v % 256; v = (v - o) / 256
		n = v % 256; m = (v - n) / 256
		y1 = bxor(p1[a], p5[b], p9[c], p13[d], p17[e], p21[f], p25[g],
			p29[h], p33[i], p37[j], p41[k], p45[l], p49[m], p53[n],
			p57[o], p61[q])
		y2 = bxor(p2[a], p6[b], p10[c], p14[d], p18[e], p22[f], p26[g],
			p30[h], p34[i], p38[j], p42[k], p46[l], p50[m], p54[n],
			p58[o], p62[q])
		y3 = bxor(p3[a], p7[b], p11[c], p15[d], p19[e], p23[f], p27[g],
			p31[h], p35[i], p39[j], p43[k], p47[l], p51[m], p55[n],
			p59[o], p63[q])
		y4 = bxor(p4[a], p8[b], p12[c], p16[d], p20[e], p24[f], p28[g],
			p32[h], p36[i], p40[j], p44[k], p48[l], p52[m], p56[n],
			p60[o], p64[q])
	end
	y[1], y[2], y[3], y[4] = y1, y2, y3, y4
end

local function pad16(s)
	return #s % 16 == 0 and s or s .. string.rep("\0", -#s % 16)
end

local function be_words(a, b, c, d)
	return lib.be(a, 4) .. lib.be(b, 4) .. lib.be(c, 4) .. lib.be(d, 4)
end

-- counter mode from counter 2 on; n1, n2, n3: the nonce
local function counter_mode(k, n1, n2, n3, s, len)
	local out = {}
	s = pad16(s)
	for block = 0, #s / 16 - 1 do
		local at = 16 * block + 1
		local w, x, z, v = encrypt(k, n1, n2, n3, block + 2)
		local a, b, c, d, e, f, g, h, i, j, q, l, m, n, o, p =
			s:byte(at, at + 15)
		w = bxor(w, ((a * 256 + b) * 256 + c) * 256 + d)
		x = bxor(x, ((e * 256 + f) * 256 + g) * 256 + h)
		z = bxor(z, ((i * 256 + j) * 256 + q) * 256 + l)
		v = bxor(v, ((m * 256 + n) * 256 + o) * 256 + p)
		d = w % 256; w = (w - d) / 256
		c = w % 256; w = (w - c) / 256
		b = w % 256; a = (w - b) / 256
		h = x % 256; x = (x - h) / 256
		g = x % 256; x = (x - g) / 256
		f = x % 256; e = (x - f) / 256
		l = z % 256; z = (z - l) / 256
		q = z % 256; z = (z - q) / 256
		j = z % 256; i = (z - j) / 256
		p = v % 256; v = (v - p) / 256
		o = v % 256; v = (v - o) / 256
		n = v % 256; m = (v - n) / 256
		out[block + 1] = char(a, b, c, d, e, f, g, h, i, j, q, l, m, n,
			o, p)
	end
	return concat(out):sub(1, len)
end

local gcm = {}
gcm.__index = gcm

-- key: 16 or 32 octets
function lib.gcm(key)
	local k = expand(key)
	return setmetatable({ k = k, p = products({ encrypt(k, 0, 0, 0, 0) }) },
		gcm)
end

-- the plaintext of ciphertext and tag, or nil
function gcm:open(nonce, aad, sealed)
	local len = #sealed - 16
	local text = sealed:sub(1, len)
	local y = { 0, 0, 0, 0 }
	ghash(self.p, y, pad16(aad) .. pad16(text) .. lib.be(8 * #aad, 8) ..
		lib.be(8 * len, 8))
	local n1, n2 = lib.be32(nonce, 1), lib.be32(nonce, 5)
	local n3 = lib.be32(nonce, 9)
	local a, b, c, d = encrypt(self.k, n1, n2, n3, 1)
	local tag = be_words(bxor(a, y[1]), bxor(b, y[2]), bxor(c, y[3]),
		bxor(d, y[4]))
	if tag ~= sealed:sub(len + 1) then
		return nil
	end
	return counter_mode(self.k, n1, n2, n3, text, len)
end
