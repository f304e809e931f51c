local now, node, number, room = clock(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4])
local refuse, lease, age, channel = ARGV[5] == '1', tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
local era, info = epoch()
followed(info, ARGV[9])
local slot, field = read(KEYS[1], now), node .. '/' .. number
for _, c in ipairs(slot.claims) do
	if c.field == field then
		keep(KEYS[1], field, c.fence, now, lease)
		return {'ok', digits(c.fence), era}
	end
end
local since = now - age
if #slot.claims >= room and (refuse or (age > 0 and later(slot, since) >= room)) then
	return {'conflict'}
end
make_room(slot, room, channel)
local fence = math.max(slot.last + 1, since)
add(slot, field, fence, now, lease)
return {'ok', digits(fence), era}
