-- KEYS are slots of one hash tag. After the common arguments come four for each: number, room, fence and epoch of a claim.
local now, node, lease, channel = clock(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[4]
local era, info = epoch()
followed(info, ARGV[5])

local function renew(key, number, room, fence, of)
	local field = node .. '/' .. number
	local held = redis.call('HGET', key, field)
	if held then
		local known, ending = parse(held)
		if ending > now then
			keep(key, field, known, now, lease)
			return 'H'
		end
	end
	local slot = read(key, now)
	local superseded = slot.last > fence
	if of == era and not superseded then
		return 'G'
	end
	if of == era or (superseded and room == 1) or later(slot, fence) >= room then
		return 'R'
	end
	make_room(slot, room, channel)
	add(slot, field, fence, now, lease)
	return 'H'
end

local standings = {}
for i, key in ipairs(KEYS) do
	local at = 2 + 4 * i
	standings[i] = renew(key, ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), ARGV[at + 3])
end
return {era, table.concat(standings)}
