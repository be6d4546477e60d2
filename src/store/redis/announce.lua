-- Enters an operation in its ledger before it leaves, and awaits its echo.
--
-- A member is 'S' token (sending), 'U' token (unknown) or 'A' token NUL result (accepted); its score is when it was
-- announced, Unix ms. 'T' says that there were too many, so that the oldest were given up; its score is when.
--
-- KEYS: ledger, prints, awaited echoes (only where there will be one)
-- ARGV: token, time to live of the ledger ms, value for the echo, time to live of the echo ms, most echoes awaited, most
-- members, then by what ledger and echoes are found again, and the record of the call ('': it need not be)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- Announced again, it stands where it stood.
redis.call('ZADD', KEYS[1], 'NX', string.format('%.0f', now), 'S' .. ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - tonumber(ARGV[2])))
if redis.call('ZCARD', KEYS[1]) > tonumber(ARGV[6]) then
  redis.call('ZADD', KEYS[1], string.format('%.0f', now), 'T')
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[6]))
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], string.format('%.0f', now), ARGV[7])
if ARGV[9] ~= '' then redis.call('ZADD', KEYS[2], string.format('%.0f', now), ARGV[9]) end
if KEYS[3] then
  redis.call('ZADD', KEYS[2], string.format('%.0f', now), ARGV[8])
  -- Removed first, so that announcing it again does not make it count twice.
  redis.call('LREM', KEYS[3], 0, ARGV[3])
  redis.call('RPUSH', KEYS[3], ARGV[3])
  redis.call('LTRIM', KEYS[3], -tonumber(ARGV[5]), -1)
  redis.call('PEXPIRE', KEYS[3], ARGV[4])
end
-- What was announced longer ago than it is kept is not there any more.
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('(%.0f', now - math.max(ARGV[2], ARGV[4])))
redis.call('PEXPIRE', KEYS[2], string.format('%.0f', math.max(ARGV[2], ARGV[4])))
