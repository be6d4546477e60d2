-- Erases some of the entries that `begin_erasure.lua` marked, and notes their places: entries are numbered without a hole, and
-- these are to be no gap. Answers {how many were erased, how many are left}.
--
-- KEYS: log, meta, erased places, entries to erase, conversations that are being erased, data keys
-- ARGV: 1 name of the conversation, 2 most entries, 3 how long, once all are erased, to know that a data key was ms
local meta = redis.call('HMGET', KEYS[2], 'epoch', 'erased')
-- Places without their meta are of a log that was wiped.
if not meta[2] then redis.call('UNLINK', KEYS[3]) end
local todo = redis.call('ZRANGE', KEYS[4], 0, ARGV[2] - 1)
local erased = 0
for _, id in ipairs(todo) do
  if meta[1] and redis.call('XDEL', KEYS[1], id) == 1 then
    redis.call('ZADD', KEYS[3], string.match(id, '%d+$'), id)
    erased = erased + 1
  end
end
if #todo > 0 then redis.call('ZREMRANGEBYRANK', KEYS[4], 0, #todo - 1) end
if erased > 0 and not meta[2] then redis.call('HSET', KEYS[2], 'erased', '1') end
local left = redis.call('ZCARD', KEYS[4])
if left == 0 then
  redis.call('SREM', KEYS[5], ARGV[1])
  local is_anew = false
  for _, id in ipairs(redis.call('HKEYS', KEYS[6])) do is_anew = is_anew or #id == 16 end
  if not is_anew then redis.call('PEXPIRE', KEYS[6], ARGV[3], 'LT') end
end
return {erased, left}
