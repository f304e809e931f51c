local events, ids, due, meta = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local day = 86400000000

-- The log has a random id, so that one that was emptied or made anew is known to be another one.
local function log(now, fresh)
	local id = redis.call('HGET', meta, 'log')
	if not id then
		id = fresh
		redis.call('HSET', meta, 'log', id)
		redis.call('PEXPIRE', meta, life(now, now + day))
	end
	return id
end

local function forget(id, entry)
	redis.call('XDEL', events, entry)
	redis.call('HDEL', ids, id)
	redis.call('ZREM', due, id)
end

local function prune(now, most)
	for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', digits(now), 'LIMIT', 0, most)) do
		forget(id, redis.call('HGET', ids, id) or '0-0')
	end
end
