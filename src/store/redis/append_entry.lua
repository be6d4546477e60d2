-- Part of the script that appends: marks the event, and writes log, meta and index. Where contents are encrypted, what is written
-- of an entry names its key, too.
local head, content, mark = ARGV[4], ARGV[5], ARGV[3]
local known = call('SET', KEYS[3], mark, 'NX', 'GET', 'PX', DEDUPE_MS)
if known then
  -- The empty mark is an earlier version's.
  if known == mark or known == '' then return false end
  return known .. '+' == mark and 1 or 0
end

-- Entries without their meta are of a log that was wiped in part: none may follow them.
if not meta[1] and call('EXISTS', KEYS[1]) == 1 then call('DEL', KEYS[1]) end

local n, bytes = digits('%d', (meta[2] or 0) + 1), meta[4] or '0'
local ms, ahead = now_ms, '0'
if meta[3] and meta[3] - now > 0 then ms, ahead = meta[3], digits('%d', meta[3] - now) end
local number = sequence + 1
local id, is_first = ms .. '-' .. n, number == 1
sequence = digits('%d', number)
local added
if awaited then
  -- `REQUEST_ID:TOKEN`. A send without a request_id awaits its echo too, so that the echo is not taken for another's.
  added = redis.pcall('XADD', KEYS[1], id, 'v', FORMAT, 'h', head, 'c', content, 'q', sequence, 'e', epoch, 's', after,
    'b', bytes, 'r', string.match(awaited, '^[^:]*'))
else
  added = redis.pcall('XADD', KEYS[1], id, 'v', FORMAT, 'h', head, 'c', content, 'q', sequence, 'e', epoch, 's', after,
    'b', bytes)
end
if added ~= id then
  -- An error. It is not in the log, so the next delivery must not find it marked.
  call('DEL', KEYS[3])
  return added
end
call('HSET', KEYS[2], 'n', n, 'ms', ms, 'bytes', digits('%d', bytes + #head + #content))
if not meta[1] then call('HSET', KEYS[2], 'epoch', ARGV[1], 'trimmed', '0') end
if awaited then call('LPOP', KEYS[ECHO]) end

call('ZADD', INDEX, n, id)
-- Now and then the index is rid of what the log has not any more, which is bounded: Redis does nothing else meanwhile.
if number % 64 == 0 then
  local oldest = string.match(call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1][1], '%d+$')
  local gone = call('ZCOUNT', INDEX, '-inf', '(' .. oldest)
  if gone > 0 then call('ZREMRANGEBYRANK', INDEX, 0, math.min(gone, 256) - 1) end
end
sets[4] = sequence
local answer = id .. ' ' .. sequence .. ' ' .. after .. ' ' .. ahead .. ' ' .. (meta[1] or ARGV[1]) .. passage
