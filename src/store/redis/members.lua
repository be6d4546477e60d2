-- Puts a member on the roster, or keeps it there, and lets go of those whose lease is over. Answers 'gone' where the
-- subscription was deleted, 'full' where there are too many, or else {now in Unix ms, {id, record, ...}}.
--
-- A record is `EXPIRES:SINCE:SHARES:OLDEST:NAME`, the times in Unix ms.
--
-- KEYS: members
-- ARGV: id ('': only look), name, shares, for how long the oldest event was kept in ms ('': there is none), lease ms, most
-- members, how far ahead a lease may end in ms
if redis.call('HEXISTS', KEYS[1], 'gone') == 1 then return 'gone' end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function digits(number)
  return string.format('%.0f', number)
end
local stored = redis.call('HGETALL', KEYS[1])
local since, alive, longest = now, {}, 0
-- A lease that ends later was given before the clock stepped back.
local furthest = now + tonumber(ARGV[7])
for i = 1, #stored, 2 do
  local expires, from = string.match(stored[i + 1], '^(%d+):(%d+):')
  expires = tonumber(expires)
  if stored[i] == ARGV[1] then
    since = tonumber(from)
  elseif expires > now and expires <= furthest then
    alive[#alive + 1] = stored[i]
    alive[#alive + 1] = stored[i + 1]
    longest = math.max(longest, expires)
  elseif ARGV[1] ~= '' then
    redis.call('HDEL', KEYS[1], stored[i])
  end
end
if ARGV[1] ~= '' then
  if #alive / 2 >= tonumber(ARGV[6]) then return 'full' end
  local expires = now + tonumber(ARGV[5])
  local oldest = ARGV[4] == '' and 0 or now - tonumber(ARGV[4])
  local record = table.concat({digits(expires), digits(since), ARGV[3], digits(oldest), ARGV[2]}, ':')
  redis.call('HSET', KEYS[1], ARGV[1], record)
  redis.call('PEXPIREAT', KEYS[1], digits(math.max(longest, expires)))
  alive[#alive + 1] = ARGV[1]
  alive[#alive + 1] = record
end
return {now, alive}
