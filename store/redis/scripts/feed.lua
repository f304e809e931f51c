local now, era, after, most = clock(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local replid, info = epoch()

-- A master that lost its replicas may be one that was replaced and does not know it: it is no proof of life.
local replicas = 0
for state, lag in string.gmatch(info, 'slave%d+:[^\r\n]-state=(%w+)[^\r\n]-lag=(%d+)') do
	if state == 'online' and tonumber(lag) <= 10 then
		replicas = replicas + 1
	end
end
if replicas < tonumber(ARGV[6]) then
	return redis.error_reply('NOREPLICAS sallyport: the master has fewer replicas than are required')
end

local current = replid .. '-' .. log(now, ARGV[5])
prune(now, 64)
local from = '-'
if era == current then
	from = '(' .. after
end
local last = redis.call('HGET', meta, 'end') or '0-0'
return {current, last, digits(now), redis.call('XRANGE', events, from, '+', 'COUNT', most)}
