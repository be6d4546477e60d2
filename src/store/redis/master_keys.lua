-- Which master keys wrap data keys of a partition, and of how many conversations. Answers {name, count, ...}.
--
-- KEYS: names of the master keys of this partition
-- ARGV: what the notes of this partition start with
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local answer = {}
for _, master in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local notes = ARGV[1] .. master
  -- Of those that expired, a bounded part at a time.
  local gone = redis.call('ZCOUNT', notes, '-inf', now)
  if gone > 0 then redis.call('ZREMRANGEBYRANK', notes, 0, math.min(gone, 1024) - 1) end
  local count = redis.call('ZCARD', notes)
  if count == 0 then redis.call('SREM', KEYS[1], master) end
  answer[#answer + 1] = master
  answer[#answer + 1] = count
end
return answer
