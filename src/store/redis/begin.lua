-- Begins a call that may be repeated. Answers {word} or {word, bytes}.
--
-- KEYS: record
-- ARGV: digest, mark, lease ms, time to live ms, nonce of this very call
local record = redis.call('HMGET', KEYS[1], 'digest', 'state', 'mark', 'answer', 'started', 'nonce')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if not record[1] then
  redis.call('HSET', KEYS[1], 'digest', ARGV[1], 'state', 'sending', 'mark', ARGV[2],
    'started', string.format('%.0f', now), 'nonce', ARGV[5])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  return {'new'}
end
if record[1] ~= ARGV[1] then return {'reused'} end
if record[2] == 'done' then return {'done', record[4] or ''} end
if record[2] == 'sending' then
  -- The same call, whose first answer was lost.
  if record[6] == ARGV[5] then return {'new'} end
  if now - tonumber(record[5]) < tonumber(ARGV[3]) then return {'in flight'} end
end
return {'unknown', record[3] or ''}
