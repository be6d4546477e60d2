-- Appends an event to its partition once. Answers nothing where it is there already, or else
-- {ms, n, sequence, state, how far the log's clock is ahead, epoch}.
--
-- KEYS: log, meta, seen mark, session, index, list of sessions, unsettled, echo (only where the event is one)
-- ARGV: 1 epoch for a partition never written, 2 log ms, 3 dedupe ms, 4 session ms, 5 index ms, 6 settle ms, 7 format,
-- 8 head, 9 content, 10 conversation ('': not listed), 11 name, 12.. the change
local FROM = 12

if redis.call('EXISTS', KEYS[3]) == 1 then return false end

local meta = redis.call('HMGET', KEYS[2], 'epoch', 'n', 'ms', 'trimmed')
local now = store_ms()
local have = read_session(KEYS[4], FROM)
local sets, before, after = change_session(KEYS[4], have, now, FROM)
local sequence = (tonumber(have.seq) or 0) + 1
local awaited = KEYS[8] and redis.call('LINDEX', KEYS[8], 0) or ''
-- `REQUEST_ID:TOKEN`. A send without a request_id awaits its echo too, so that the echo is not taken for another's.
local request_id = string.match(awaited or '', '^[^:]*')

local epoch = meta[1] or ARGV[1]
local last_ms = tonumber(meta[3] or 0)
local n = tonumber(meta[2] or 0) + 1
local ms = math.max(now, last_ms)
local id_ms, id_n = digits(ms), digits(n)
local trim = math.max(now - tonumber(ARGV[2]), tonumber(meta[4] or 0))

-- Entries without their meta are of a log that was wiped in part: none may follow them.
if not meta[1] and redis.call('EXISTS', KEYS[1]) == 1 then redis.call('DEL', KEYS[1]) end

-- The first write: a Redis without memory refuses it, and then nothing has been written.
redis.call('XADD', KEYS[1], 'MINID', '~', digits(trim), id_ms .. '-' .. id_n,
  'v', ARGV[7], 'k', '', 'h', ARGV[8], 'c', ARGV[9], 'q', digits(sequence), 'e', have.epoch,
  's', digits(after), 'r', request_id)
if meta[1] then
  redis.call('HSET', KEYS[2], 'n', id_n, 'ms', id_ms, 'trimmed', digits(trim))
else
  redis.call('HSET', KEYS[2], 'epoch', epoch, 'n', id_n, 'ms', id_ms, 'trimmed', digits(trim))
end
redis.call('SET', KEYS[3], '', 'PX', ARGV[3])
if awaited ~= '' then redis.call('LPOP', KEYS[8]) end

-- The score is the entry's time; members of one score sort as text, hence the zeros.
redis.call('ZADD', KEYS[5], id_ms, string.format('%016.0f', n))
-- Trimming keeps some entries that are older than asked: the index goes by what is left.
if sequence % 64 == 0 then
  local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1][1]
  redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', '(' .. string.match(oldest, '^%d+'))
end

sets[#sets + 1] = 'seq'
sets[#sets + 1] = digits(sequence)
redis.call('HSET', KEYS[4], unpack(sets))
local list = ARGV[10] ~= '' and KEYS[6]
if list then redis.call('ZADD', list, digits(now), ARGV[10]) end
keep_session(KEYS[4], KEYS[5], list, have.seq and have.active, now, tonumber(ARGV[4]), tonumber(ARGV[5]))

if after == WRAPPING_UP then
  redis.call('ZADD', KEYS[7], digits(now + tonumber(ARGV[6])), ARGV[11])
elseif before == WRAPPING_UP then
  redis.call('ZREM', KEYS[7], ARGV[11])
end

return {ms, n, sequence, after, ms - now, epoch}
