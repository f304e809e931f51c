-- ARGV[7] is the channel on which the event is pushed, '' for none.
local now, id, body, at, expires = clock(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local era = epoch() .. '-' .. log(now, ARGV[6])
prune(now, 16)

-- live is the stored event with this id, if it has not expired.
local function live()
	local entry = redis.call('HGET', ids, id)
	if not entry then
		return nil
	end
	local stored, over = redis.call('XRANGE', events, entry, entry)[1], redis.call('ZSCORE', due, id)
	if stored and not (over and tonumber(over) <= now) then
		return stored[2]
	end
	forget(id, entry)
end

-- stamp is the event's time: '' if it keeps its own, else now, and later than every one before.
local function stamp()
	local last, t = tonumber(redis.call('HGET', meta, 'last') or '0'), ''
	if at ~= '' and tonumber(at) <= now then
		last = math.max(last, tonumber(at))
	else
		last = math.max(now, last + 1)
		t = digits(last)
	end
	redis.call('HSET', meta, 'last', digits(last))
	return t
end

-- keep gives the keys a day more than the last event to expire, and no end once an event has none.
local function keep()
	local last = redis.call('HGET', meta, 'until') or '0'
	if last == 'never' then
		return
	end
	if expires == '' then
		redis.call('HSET', meta, 'until', 'never')
		for _, key in ipairs(KEYS) do
			redis.call('PERSIST', key)
		end
		return
	end
	last = math.max(tonumber(last), tonumber(expires))
	redis.call('HSET', meta, 'until', digits(last))
	for _, key in ipairs(KEYS) do
		redis.call('PEXPIRE', key, life(now, last + day))
	end
end

local known = live()
if known then
	return {era, known[2], known[4]}
end
local time = stamp()
if expires ~= '' and tonumber(expires) <= now then
	return {era, body, time}
end
local entry = redis.call('XADD', events, '*', 'e', body, 't', time)
redis.call('HSET', ids, id, entry)
redis.call('HSET', meta, 'end', entry)
if expires ~= '' then
	redis.call('ZADD', due, expires, id)
end
keep()
if ARGV[7] ~= '' then
	redis.call('PUBLISH', ARGV[7], time .. ' ' .. body)
end
return {era, body, time}
