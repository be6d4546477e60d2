-- Finds the data key that a conversation's contents are to be encrypted under, or makes it: however many ask at once, they
-- agree. Answers {identifier, MASTER:WRAPPED}, or nothing where there is none and none is to be made.
--
-- Data keys are a hash: identifier (sixteen digits) to `MASTER:WRAPPED`, and `gone:` with an identifier for one that was erased.
-- There is more than one only where a master key was not to be had, or its data key would have done. For each master key
-- the conversations are noted whose data keys it wraps, by when these expire at the earliest, Unix ms. All of that is kept from
-- expiring here.
--
-- KEYS: data keys, names of the master keys of this partition
-- ARGV: 1 time to live ms, 2 name of the conversation, 3 what the notes of this partition start with, 4 a new identifier ('':
-- none is to be made), 5 its master key, 6 it wrapped, 7.. all master keys that are to be had
local known = {}
for i = 7, #ARGV do known[ARGV[i]] = true end

local id, value
local masters, fields = {}, redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local master = #fields[i] == 16 and string.match(fields[i + 1], '^([^:]*):')
  if master then
    masters[#masters + 1] = master
    if known[master] and (not id or fields[i] < id) then id, value = fields[i], fields[i + 1] end
  end
end
if not id and ARGV[4] ~= '' then
  id, value = ARGV[4], ARGV[5] .. ':' .. ARGV[6]
  redis.call('HSET', KEYS[1], id, value)
  masters[#masters + 1] = ARGV[5]
end

if #masters > 0 then
  local time = redis.call('TIME')
  local expires = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  redis.call('SADD', KEYS[2], unpack(masters))
  for _, master in ipairs(masters) do redis.call('ZADD', ARGV[3] .. master, expires, ARGV[2]) end
end
return id and {id, value}
