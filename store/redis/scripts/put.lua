local now, sealed, expires = clock(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local era = epoch()
local known = redis.call('HGET', KEYS[1], 'x')
if known and tonumber(known) > now then
	return {'conflict'}
end
redis.call('DEL', KEYS[1])
if expires > now then
	redis.call('HSET', KEYS[1], 's', sealed, 'x', digits(expires), 'e', era)
	redis.call('PEXPIRE', KEYS[1], life(now, expires))
end
return {'ok'}
