-- Forgets a customer's conversation, unless another is known by now.
--
-- KEYS: customer
-- ARGV: conversation
local known = redis.call('GET', KEYS[1])
if known and string.match(known, '^c:%d+:(.*)$') == ARGV[1] then redis.call('DEL', KEYS[1]) end
