-- Times are microseconds since 1970, which a Lua number holds exactly until the year 2255.
local function clock(given)
	if given ~= '' then
		return tonumber(given)
	end
	local t = redis.call('TIME')
	return t[1] * 1000000 + t[2]
end

local function digits(n)
	return string.format('%.0f', n)
end

-- life is the time to live of a key, rounded up: what has expired by the millisecond is refused by the record itself.
local function life(now, expires)
	return digits(math.max(1, math.ceil((expires - now) / 1000)))
end

-- epoch is the id of the replication history. A server has a new one after it started and after it was promoted.
local function epoch()
	local info = redis.call('INFO', 'replication')
	if not string.find(info, 'role:master', 1, true) then
		error({err = 'READONLY sallyport: this server is a replica'})
	end
	return string.match(info, 'master_replid:(%x+)'), info
end

-- followed refuses to speak for a master that has fewer replicas than are wanted: it may be one that was replaced and does
-- not know it.
local function followed(info, wanted)
	local replicas = 0
	for state, lag in string.gmatch(info, 'slave%d+:[^\r\n]-state=(%w+)[^\r\n]-lag=(%d+)') do
		if state == 'online' and tonumber(lag) <= 10 then
			replicas = replicas + 1
		end
	end
	if replicas < tonumber(wanted) then
		error({err = 'NOREPLICAS sallyport: the master has fewer replicas than are required'})
	end
end
