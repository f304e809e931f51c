local now = clock(ARGV[1])
local era = epoch()
local t = redis.call('HMGET', KEYS[1], 's', 'x', 'e')
redis.call('DEL', KEYS[1])
if not t[1] or tonumber(t[2]) <= now or t[3] ~= era then
	return {'missing'}
end
return {'ok', t[1]}
