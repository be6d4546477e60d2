-- Notes in which format entries are written from now on, unless a replica that is there does not read it. Answers the time (Unix ms),
-- the format that was noted before ('': there is no log), and what is noted of replicas: identifier, what they told.
--
-- KEYS: schema
-- ARGV: format ('': only looks), for how long a replica is there that was not heard of ms
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local noted = redis.call('HMGET', KEYS[1], 'version', 'format')
if not noted[1] then return {string.format('%d', now), '', {}} end
local before = noted[2] or '1'
local replicas, is_read = {}, true
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local id = string.match(fields[i], '^replica:(.*)$')
  if id then
    replicas[#replicas + 1], replicas[#replicas + 2] = id, fields[i + 1]
    local seen, oldest, newest = string.match(fields[i + 1], '^(%d+) (%d+) (%d+) ')
    local is_there = seen and now - tonumber(seen) <= tonumber(ARGV[2])
    if is_there and ARGV[1] ~= '' then
      local to = tonumber(ARGV[1])
      if to < tonumber(oldest) or to > tonumber(newest) then is_read = false end
    end
  end
end
if ARGV[1] ~= '' and is_read then redis.call('HSET', KEYS[1], 'format', ARGV[1]) end
return {string.format('%d', now), before, replicas}
