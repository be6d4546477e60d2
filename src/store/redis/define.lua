-- Keeps the definition of a subscription under a name that is free. Answers {'new'}, {'exists', definition} or {'full'}.
--
-- KEYS: definitions
-- ARGV: name, definition, most definitions
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known then return {'exists', known} end
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then return {'full'} end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return {'new'}
