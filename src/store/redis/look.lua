-- Looks at partitions around places, all at one instant. Answers for each {meta, oldest, at or before, following, erased}, of
-- entries their ids; `erased_around.lua` says what was erased.
--
-- A transaction would do as well, but a Redis whose memory is full begins none. Where it is full streams must go on reading.
--
-- KEYS: log and meta of each
-- ARGV: 1 whether to look for the oldest ones and those at or before ('1', '0'), then two for each: start for XRANGE, id to
-- look at or before ('': none)

local function id_of(...)
  local entry = redis.call(...)[1]
  return entry and entry[1] or false
end

local backwards, answers = ARGV[1] == '1', {}
for i = 1, #KEYS, 2 do
  local log, start, before = KEYS[i], ARGV[i + 1], ARGV[i + 2]
  local meta = redis.call('HMGET', KEYS[i + 1], 'epoch', 'n', 'ms', 'trimmed', 'erased')
  local oldest = backwards and id_of('XRANGE', log, '-', '+', 'COUNT', 1)
  local following = id_of('XRANGE', log, start, '+', 'COUNT', 1)
  answers[#answers + 1] = {
    meta, oldest, backwards and before ~= '' and id_of('XREVRANGE', log, before, '-', 'COUNT', 1), following,
    meta[5] and erased_around(log, before, oldest, following)
  }
end
return answers
