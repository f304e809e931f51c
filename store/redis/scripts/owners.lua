-- A slot is a hash: 'l' is its highest fence so far, and each claim is a field NODE/NUMBER with 'FENCE UNTIL'.
local minute = 60000000

local function parse(value)
	local fence, ending = string.match(value, '^(%d+) (%d+)$')
	return tonumber(fence), tonumber(ending)
end

-- read returns the slot with its claims, the lowest fence first, and removes those that are over.
local function read(key, now)
	local slot, all = {key = key, last = 0, claims = {}}, redis.call('HGETALL', key)
	for i = 1, #all, 2 do
		if all[i] == 'l' then
			slot.last = tonumber(all[i + 1])
		else
			local fence, ending = parse(all[i + 1])
			if ending > now then
				table.insert(slot.claims, {field = all[i], fence = fence})
			else
				redis.call('HDEL', key, all[i])
			end
		end
	end
	table.sort(slot.claims, function(a, b) return a.fence < b.fence end)
	return slot
end

local function later(slot, fence)
	local n = 0
	for _, c in ipairs(slot.claims) do
		if c.fence > fence then
			n = n + 1
		end
	end
	return n
end

-- make_room takes the place from as many claims as there must be room for one more, and tells their nodes.
local function make_room(slot, room, channel)
	while #slot.claims >= room do
		local lost = table.remove(slot.claims, 1)
		redis.call('HDEL', slot.key, lost.field)
		local node, number = string.match(lost.field, '^(.*)/(%d+)$')
		redis.call('PUBLISH', channel .. node, 'L' .. number)
	end
end

local function keep(key, field, fence, now, lease)
	redis.call('HSET', key, field, digits(fence) .. ' ' .. digits(now + lease))
	redis.call('PEXPIRE', key, life(now, now + lease + minute))
end

local function add(slot, field, fence, now, lease)
	redis.call('HSET', slot.key, 'l', digits(math.max(slot.last, fence)))
	keep(slot.key, field, fence, now, lease)
end
