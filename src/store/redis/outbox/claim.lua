-- Claims conversations of an outbox. Answers {streak, event, tries, event, tries, …}.
--
-- KEYS: index, outbox
-- ARGV: 1 webhook, 2 most claimed by anybody, 3 lease ms, 4 token
local box, most = outbox(ARGV[1], 1), tonumber(ARGV[2])
local state = redis.call('HMGET', box.state, 'streak', 'paused')
local streak, is_paused = tonumber(state[1] or 0), tonumber(state[2] or 0) > NOW
if streak > 0 then most = math.min(most, 1) end

local over = redis.call('ZRANGEBYSCORE', box.claimed, '-inf', NOW)
redis.call('ZREMRANGEBYSCORE', box.claimed, '-inf', NOW)
for _, conversation in ipairs(over) do redis.call('HDEL', box.notes, conversation) end

local answer = {streak}
local free = most - redis.call('ZCARD', box.claimed)
while free > 0 and not is_paused do
  local ready = redis.call('ZRANGEBYSCORE', box.due, '-inf', NOW, 'LIMIT', 0, free)
  if #ready == 0 then break end
  for _, conversation in ipairs(ready) do
    local event, tries = take(box, conversation, ARGV[4], ARGV[3])
    if event then
      answer[#answer + 1] = event
      answer[#answer + 1] = tries
      free = free - 1
    end
  end
end
if not is_paused then
  if free <= 0 and redis.call('ZCOUNT', box.due, '-inf', NOW) > 0 then
    redis.call('HSET', box.state, 'full', 1)
  else
    redis.call('HDEL', box.state, 'full')
  end
end
enter(box)
return answer
