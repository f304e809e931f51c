-- ARGV[2] is the number to rotate from and ARGV[3] the one to rotate to; both are '' to read. ARGV[4] is '1' to take a
-- family from before a fail-over.
local now, from, to = clock(ARGV[1]), ARGV[2], ARGV[3]
local era = epoch()
local f = redis.call('HMGET', KEYS[1], 'f', 'n', 'r', 'x', 'e')
if not f[1] or tonumber(f[4]) <= now or (f[5] ~= era and ARGV[4] ~= '1') then
	return {'missing'}
end
if from == '' then
	return {'ok', f[1], f[2], f[3]}
end
if f[2] ~= from then
	return {'conflict', f[1], f[2], f[3]}
end
redis.call('HSET', KEYS[1], 'n', to, 'r', digits(now), 'e', era)
return {'ok', f[1], to, digits(now)}
