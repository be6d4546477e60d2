-- Changes what is kept of a tenant for clients of Chat API v2. One hash holds all of it: `n` the last identifier, `m` how many
-- webhooks there are, `w:ID` a webhook as REVISION:DEFINITION, `c:CHANNEL` where a channel's events go as REVISION:ID.
--
-- KEYS: the hash
-- ARGV: 'add', definition, most webhooks        answers {'new', id} or {'full'}
--       'replace', id, expected or '', definition   {'done', revision}, {'unknown'} or {'changed'}
--       'remove', id                            {'done'}, {'unknown'} or {'used', channel}
--       'bind', channel, id                     {'done', revision} or {'unknown'}
local key, what = KEYS[1], ARGV[1]

-- REVISION and what is behind it, or nothing.
local function record(field)
  local known = redis.call('HGET', key, field)
  if not known then return nil end
  local at = known:find(':', 1, true)
  return tonumber(known:sub(1, at - 1)), known:sub(at + 1)
end

if what == 'add' then
  if tonumber(redis.call('HGET', key, 'm') or 0) >= tonumber(ARGV[3]) then return {'full'} end
  redis.call('HINCRBY', key, 'm', 1)
  local id = redis.call('HINCRBY', key, 'n', 1)
  redis.call('HSET', key, 'w:' .. id, '1:' .. ARGV[2])
  return {'new', id}
end

if what == 'replace' then
  local revision = record('w:' .. ARGV[2])
  if not revision then return {'unknown'} end
  if ARGV[3] ~= '' and tonumber(ARGV[3]) ~= revision then return {'changed'} end
  revision = revision + 1
  redis.call('HSET', key, 'w:' .. ARGV[2], string.format('%d:', revision) .. ARGV[4])
  return {'done', revision}
end

if what == 'remove' then
  if redis.call('HEXISTS', key, 'w:' .. ARGV[2]) == 0 then return {'unknown'} end
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if field:sub(1, 2) == 'c:' then
      local _, webhook = record(field)
      if webhook == ARGV[2] then return {'used', field:sub(3)} end
    end
  end
  redis.call('HDEL', key, 'w:' .. ARGV[2])
  redis.call('HINCRBY', key, 'm', -1)
  return {'done'}
end

-- 'bind'
if redis.call('HEXISTS', key, 'w:' .. ARGV[3]) == 0 then return {'unknown'} end
local revision = (record('c:' .. ARGV[2]) or 0) + 1
redis.call('HSET', key, 'c:' .. ARGV[2], string.format('%d:', revision) .. ARGV[3])
return {'done', revision}
