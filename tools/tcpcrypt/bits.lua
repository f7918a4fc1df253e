-- bits.lua - bit operations on 32-bit words, for each Lua that Wireshark has
--
-- Lua 5.2 (Wireshark up to 4.2) has the library bit32; Lua 5.3 and later have
-- operators, which an older Lua cannot even read: hence load().
local lib = ...
if type(lib) ~= "table" then
	return -- Wireshark loads every file of a plugin folder; this is a part
end

local native = [[
local mask = 0xffffffff
return {
	band = function(a, b)
		return a & b
	end,
	-- up to 16 operands
	bxor = function(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
		local x = a ~ b
		if c then
			x = x ~ c ~ (d or 0) ~ (e or 0)
		end
		if f then
			x = x ~ f ~ g ~ h ~ i ~ j ~ k ~ l ~ m ~ n ~ o ~ p
		end
		return x
	end,
	bnot = function(a)
		return ~(a | 0) & mask
	end,
	rrotate = function(a, n)
		a = a | 0
		return (a >> n | a << (32 - n)) & mask
	end,
	lrotate = function(a, n)
		a = a | 0
		return (a << n | a >> (32 - n)) & mask
	end,
	rshift = function(a, n)
		return a >> n
	end,
}
]]

lib.bits = bit32 or assert(load(native))()

-- n as octets, most significant first
function lib.be(n, octets)
	local out = {}
	for i = octets, 1, -1 do
		local low = n % 256
		out[i] = string.char(low)
		n = (n - low) / 256
	end
	return table.concat(out)
end

function lib.be16(s, at)
	local a, b = s:byte(at, at + 1)
	return a * 256 + b
end

function lib.be32(s, at)
	local a, b, c, d = s:byte(at, at + 3)
	return ((a * 256 + b) * 256 + c) * 256 + d
end

function lib.hex(s)
	return (s:gsub(".", function(c)
		return string.format("%02x", c:byte())
	end))
end

-- nil: not hexadecimal
function lib.unhex(s)
	if #s % 2 ~= 0 or s:find("[^0-9a-fA-F]") then
		return nil
	end
	return (s:gsub("..", function(h)
		return string.char(tonumber(h, 16))
	end))
end
