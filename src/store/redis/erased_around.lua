-- Part of the scripts that look at a partition: what was erased around a place. Answers {whether the place itself was, how many
-- behind it and before the entry that follows, how many before the oldest entry}.
--
-- The key of the erased places is beside that of the log, and not among KEYS: it is rarely there, and while a cluster moves the slot,
-- a key that is not there keeps a script from the others.
local function erased_around(log, at, oldest, following)
  local places = string.gsub(log, 'log$', 'erased')
  local function before(entry)
    return entry and '(' .. string.match(entry, '%d+$') or '+inf'
  end
  local is_at, behind = 0, 0
  if at ~= '' then
    if redis.call('ZSCORE', places, at) then is_at = 1 end
    behind = redis.call('ZCOUNT', places, '(' .. string.match(at, '%d+$'), before(following))
  end
  return {is_at, behind, redis.call('ZCOUNT', places, '-inf', before(oldest))}
end
