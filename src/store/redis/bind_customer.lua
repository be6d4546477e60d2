-- Notes a customer's conversation.
--
-- KEYS: customer
-- ARGV: conversation, time to live ms, attempt that it ends ('': whatever was known)
local known = ARGV[3] ~= '' and redis.call('GET', KEYS[1])
if known and known ~= 'a:' .. ARGV[3] then return end
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('SET', KEYS[1], 'c:' .. now .. ':' .. ARGV[1], 'PX', ARGV[2])
