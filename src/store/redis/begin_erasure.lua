-- Begins to erase a conversation: from here on nothing of it can be found or decrypted, and its entries are marked for erasing.
-- Whatever comes now begins it anew. Answers how many entries are to be erased.
--
-- KEYS: data keys, session, index, list of sessions, unsettled, prints, entries to erase, conversations that are being erased
-- ARGV: 1 conversation, 2 its name, 3 how long to know that a data key was erased ms, 4 what keys of this partition start with
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local id, master = fields[i], string.match(fields[i + 1], '^([^:]*):')
  if #id == 16 then
    redis.call('HDEL', KEYS[1], id)
    redis.call('HSET', KEYS[1], 'gone:' .. id, '')
    if master then redis.call('ZREM', ARGV[4] .. 'wrapped:' .. master, ARGV[2]) end
  end
end
if #fields > 0 then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end

redis.call('UNLINK', KEYS[2])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[2])
for _, print in ipairs(redis.call('ZRANGE', KEYS[6], 0, -1)) do
  -- Records of calls lie elsewhere, and were seen to.
  if string.sub(print, 1, 5) ~= 'idem:' then redis.call('UNLINK', ARGV[4] .. print .. ':' .. ARGV[2]) end
end
redis.call('UNLINK', KEYS[6])

if redis.call('EXISTS', KEYS[3]) == 1 then
  if redis.call('EXISTS', KEYS[7]) == 1 then
    redis.call('ZUNIONSTORE', KEYS[7], 2, KEYS[7], KEYS[3])
    redis.call('UNLINK', KEYS[3])
  else
    redis.call('RENAME', KEYS[3], KEYS[7])
  end
end
local left = redis.call('ZCARD', KEYS[7])
if left > 0 then redis.call('SADD', KEYS[8], ARGV[2]) end
return left
