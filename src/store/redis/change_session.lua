-- Changes a session without an event.
--
-- KEYS: session, index, list of sessions, unsettled
-- ARGV: 1 session ms, 2 index ms, 3 conversation ('': not listed), 4 name, 5.. the change
local FROM = 5

local now = store_ms()
local have = read_session(KEYS[1], FROM)
local sets, before, after = change_session(KEYS[1], have, now, FROM)
redis.call('HSET', KEYS[1], unpack(sets))
local list = ARGV[3] ~= '' and KEYS[3]
if list then redis.call('ZADD', list, digits(now), ARGV[3]) end
keep_session(KEYS[1], KEYS[2], list, have.active, now, tonumber(ARGV[1]), tonumber(ARGV[2]))
if before == WRAPPING_UP and after ~= WRAPPING_UP then redis.call('ZREM', KEYS[4], ARGV[4]) end
