local now, era, after, most = clock(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local replid, info = epoch()

followed(info, ARGV[6])
local current = replid .. '-' .. log(now, ARGV[5])
prune(now, 64)
local from = '-'
if era == current then
	from = '(' .. after
end
local last = redis.call('HGET', meta, 'end') or '0-0'
return {current, last, digits(now), redis.call('XRANGE', events, from, '+', 'COUNT', most)}
