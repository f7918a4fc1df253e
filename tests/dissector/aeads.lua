-- aeads.lua FOLDER VECTORS - opens what Python sealed, and what was altered
local folder, vectors = ...
local lib, right = {}, 0
for _, part in ipairs({ "bits", "hash", "gcm", "chacha" }) do
	assert(loadfile(folder .. "/tcpcrypt/" .. part .. ".lua"))(lib)
end
for _, v in ipairs(dofile(vectors)) do
	local key, nonce, head, sealed, text = lib.unhex(v[2]),
		lib.unhex(v[3]), lib.unhex(v[4]), lib.unhex(v[5]),
		lib.unhex(v[6])
	local aead = lib[v[1] == 16 and "chacha" or "gcm"](key)
	local at = #sealed % 5 * (#sealed - #sealed % 5) / 5 + 1
	local other = sealed:sub(1, at - 1) ..
		string.char((sealed:byte(at) + 128) % 256) .. sealed:sub(at + 1)
	if aead:open(nonce, head, sealed) == text and
		not aead:open(nonce, head, other) and
		not aead:open(nonce, head .. "x", sealed) then
		right = right + 1
	else
		print("wrong", v[1], #text)
	end
end
print(right .. " right")
