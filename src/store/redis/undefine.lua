-- Forgets the definition of a subscription, unless another is known under its name. Answers whether it did.
--
-- KEYS: definitions
-- ARGV: name, definition
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
