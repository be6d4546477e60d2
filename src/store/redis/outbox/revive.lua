-- Puts some of an outbox's dead letters back into it, from the oldest on. Answers {how many it put back, behind which one to go on}, or
-- only the number where there are no more.
--
-- KEYS: index, outbox
-- ARGV: 1 webhook, 2 behind which one ('-inf': from the first), 3 up to which one, 4 most
local box = outbox(ARGV[1], 1)
redis.call('HDEL', box.state, 'paused')
local letters = redis.call('ZRANGEBYSCORE', box.dead, ARGV[2], ARGV[3], 'WITHSCORES', 'LIMIT', 0, ARGV[4])
local revived = 0
for i = 1, #letters, 2 do
  local reason, event = string.match(letters[i], '^(%l+):%d+:(.*)$')
  if reason ~= 'trimmed' then
    redis.call('ZREM', box.dead, letters[i])
    revived = revived + redis.call('ZADD', box.waiting, 0, event)
    redis.call('HDEL', box.notes, event)
    -- Behind the name of its conversation are a NUL and 48 digits.
    redis.call('ZADD', box.due, 'NX', digits(NOW), string.sub(event, 1, -50))
  end
end
enter(box)
if #letters < 2 * ARGV[4] then return {revived} end
return {revived, '(' .. letters[#letters]}
