-- Reads a conversation's entries through its index, and what tells whether any before them are gone, at one instant.
-- Answers {meta, oldest, at or before, following, erased, entries, whether more may follow}; `erased_around.lua` says what was
-- erased.
--
-- KEYS: log, meta, index
-- ARGV: 1 start for XRANGE, 2 id to look at or before ('': none), 3 limit, 4 bytes after which no more are read

local function one(...)
  return redis.call(...)[1] or false
end

local limit, room = tonumber(ARGV[3]), tonumber(ARGV[4])
local oldest = one('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
local before = ARGV[2] ~= '' and one('XREVRANGE', KEYS[1], ARGV[2], '-', 'COUNT', 1)
local following = one('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', 1)
local entries, more, left_out, offset = {}, following ~= false, false, 0
-- Numbers only grow, so whatever lies behind the start has at least this one. What is older points nowhere any more.
local from = following and string.match(following[1], '%d+$')
while more and #entries < limit and room > 0 do
  local found = redis.call('ZRANGEBYSCORE', KEYS[3], from, '+inf', 'LIMIT', offset, limit)
  for i = 1, #found do
    if #entries >= limit or room <= 0 then
      left_out = true
      break
    end
    local entry = one('XRANGE', KEYS[1], found[i], found[i])
    if entry then
      entries[#entries + 1] = entry
      for j = 2, #entry[2], 2 do room = room - #entry[2][j] end
    end
  end
  offset = offset + limit
  more = #found == limit
end
local function id_of(entry)
  return entry and entry[1]
end
local meta = redis.call('HMGET', KEYS[2], 'epoch', 'n', 'ms', 'trimmed', 'erased')
return {
  meta, id_of(oldest), id_of(before), id_of(following),
  meta[5] and erased_around(KEYS[1], ARGV[2], id_of(oldest), id_of(following)),
  entries, (more or left_out or #entries >= limit) and 1 or 0
}
