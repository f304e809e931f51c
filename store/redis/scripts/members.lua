-- ARGV[2] is the node that says that it lives, for ARGV[3] microseconds more, '' for none.
local now, node = clock(ARGV[1]), ARGV[2]
epoch()
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', digits(now))
if node ~= '' then
	local ending = now + tonumber(ARGV[3])
	if ending > now then
		redis.call('ZADD', KEYS[1], digits(ending), node)
	else
		redis.call('ZREM', KEYS[1], node)
	end
end
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
if last then
	redis.call('PEXPIRE', KEYS[1], life(now, tonumber(last)))
end
return redis.call('ZRANGE', KEYS[1], 0, -1)
