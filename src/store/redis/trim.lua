-- Cuts off a partition's oldest entries: those older than the log keeps, and those above its size. The newest is never cut
-- off for its size. Lets go of the places of erased entries that would have been cut off as well. Answers 1 where there may be more
-- to cut, else 0.
--
-- KEYS: log, meta
-- ARGV: 1 log ms, 2 most bytes (0: any number)

-- The most entries that one run cuts off for either reason: Redis does nothing else meanwhile. And how many of them at once
-- for their size: how many it takes is reckoned from the average, and the oldest may be much larger.
local STEP, PIECE = 512, 32

local function oldest()
  return redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
end

-- How many bytes the partition had taken in before an entry.
local function bytes_before(entry)
  local fields = entry[2]
  for i = 1, #fields, 2 do
    if fields[i] == 'b' then return tonumber(fields[i + 1]) end
  end
  return 0
end

-- Cuts off the `count` oldest of `length` entries; answers the time of the last of them.
local function cut(length, count)
  if count > 1 then redis.call('XTRIM', KEYS[1], 'MAXLEN', length - count + 1) end
  local last_ms = tonumber(string.match(oldest()[1], '^%d+'))
  redis.call('XTRIM', KEYS[1], 'MAXLEN', length - count)
  return last_ms
end

local meta = redis.call('HMGET', KEYS[2], 'epoch', 'bytes', 'trimmed', 'erased', 'n')
if not meta[1] then return 0 end
local time = redis.call('TIME')
local before_ms = math.max(0, time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[1])

-- Whole nodes first, which is cheap and can be bounded; then what is old in the node in which the line lies.
local more = redis.call('XTRIM', KEYS[1], 'MINID', '~', before_ms, 'LIMIT', STEP) > 0
if not more then redis.call('XTRIM', KEYS[1], 'MINID', before_ms) end

local trimmed = tonumber(meta[3] or 0)
local line = math.max(before_ms, trimmed)
local most = tonumber(ARGV[2])
local left = most > 0 and STEP or 0
while left > 0 do
  local first = oldest()
  local held = first and (meta[2] or 0) - bytes_before(first) or 0
  local length = held > most and redis.call('XLEN', KEYS[1]) or 0
  if length <= 1 then break end
  local count = math.min(math.ceil(length * (held - most) / held), length - 1, PIECE, left)
  line = math.max(line, cut(length, count) + 1)
  left = left - count
  more = more or left == 0
end
if line > trimmed then redis.call('HSET', KEYS[2], 'trimmed', string.format('%d', line)) end

if meta[4] then
  -- A place is of use until it would have been cut for its age, or an entry behind it was cut. Not among KEYS, as in
  -- `erased_around.lua`.
  local erased, first = (string.gsub(KEYS[1], 'log$', 'erased')), oldest()
  local oldest_n = first and tonumber(string.match(first[1], '%d+$')) or meta[5] + 1
  local before_oldest = redis.call('ZCOUNT', erased, '-inf', string.format('(%d', oldest_n))
  local places, gone = redis.call('ZRANGE', erased, 0, STEP - 1), 0
  for _, place in ipairs(places) do
    local ms, n = string.match(place, '^(%d+)-(%d+)$')
    local is_run = before_oldest - gone == oldest_n - n
    if n - oldest_n > 0 or is_run and ms - before_ms >= 0 then break end
    gone = gone + 1
  end
  if gone > 0 then redis.call('ZREMRANGEBYRANK', erased, 0, gone - 1) end
  if gone == #places and gone < STEP then redis.call('HDEL', KEYS[2], 'erased') end
  more = more or gone == STEP
end
return more and 1 or 0
