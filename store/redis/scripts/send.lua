-- A script with a key, so that in a cluster one server sends all messages and they keep their order.
redis.call('PUBLISH', ARGV[2], ARGV[3])
return {'ok'}
