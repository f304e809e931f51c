-- KEYS are slots of one hash tag. ARGV[3] and on are the numbers of the claims.
epoch()
for i, key in ipairs(KEYS) do
	redis.call('HDEL', key, ARGV[2] .. '/' .. ARGV[2 + i])
end
return {'ok'}
