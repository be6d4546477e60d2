-- Hands out conversations that have been wrapping up for long enough, and puts each off by the lease.
--
-- KEYS: unsettled
-- ARGV: 1 lease ms, 2 limit, 3 what session keys of this partition start with
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'LIMIT', 0, ARGV[2])
local out = {}
for _, name in ipairs(due) do
  -- A session that expired is not wrapping up any more.
  if redis.call('HGET', ARGV[3] .. name, 'state') == '4' then
    redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[1])), name)
    out[#out + 1] = name
  else
    redis.call('ZREM', KEYS[1], name)
  end
end
return out
