-- Part of the scripts that change a session: reads it, and works out what the change sets, exactly as
-- `conversation::session::apply` does; a property test holds the two together.
--
-- A change lies in ARGV from FROM on: when it occurred, the next state for each current one as digits ('-': it says
-- nothing), what the presence of agents has to do with it, how many triples there are, the name of the field that each must
-- know, and the triples: 'L' field value (the latest decides), 'E' field ms (the earliest decides), 'M' field value (a
-- member, the latest decides). States are digits, as they are stored.
--
-- Needs SESSION, FROM and `sets`, which begins with 'active'. Gives `now` and `now_ms` (Redis's time, Unix ms, as a number and
-- in digits), `epoch`, `sequence` (the last event's), `active`, `sets` (fields and values to set), `before` and `after`
-- (states).
local WITH_AGENT, WRAPPING_UP = '3', '4'
local MUST_BE_GONE, END_WRAP_UP = '1', '2'

local call, digits = redis.call, string.format
local time = call('TIME')
-- The microseconds have no zeros before them; nine times in ten they need none.
local now_ms = #time[2] == 6 and time[1] .. string.sub(time[2], 1, 3)
  or digits('%d', time[1] * 1000 + time[2] / 1000)
local now = now_ms + 0

local triples = FROM + 4 + ARGV[FROM + 3]
local stored = call('HMGET', SESSION, 'epoch', 'seq', 'active', 'state', 'state@', unpack(ARGV, FROM + 4, triples - 1))
local epoch, sequence, active, before, stated = stored[1], stored[2] or '0', stored[3], stored[4] or '0', stored[5]

local occurred = ARGV[FROM]
sets[2] = now_ms
if not epoch then
  epoch = now_ms
  local last = #sets
  sets[last + 1], sets[last + 2] = 'epoch', epoch
end
-- A change may name a field twice, so what it has set comes before what is stored.
local changed = {}
for i = triples, #ARGV, 3 do
  local kind, name, value, last = ARGV[i], ARGV[i + 1], ARGV[i + 2], #sets
  local read = stored[6 + (i - triples) / 3]
  local old, is_set = changed[name] or read, false
  if kind == 'L' then
    is_set = not read or occurred - read >= 0
    if is_set then
      sets[last + 1], sets[last + 2] = name .. '@', occurred
      last = last + 2
    end
  elseif kind == 'E' then
    is_set = not old or value - old < 0
  else
    local noted, named = string.match(old or '', '^(%-?%d+):[01]:(.*)$')
    -- Whoever had a name keeps it when somebody tells of them without one.
    if named and string.find(value, '^%-?%d+:[01]:$') then value = value .. named end
    is_set = not noted or occurred - noted >= 0
  end
  if is_set then
    sets[last + 1], sets[last + 2] = name, value
    changed[name] = value
  end
end

local column = before + 1
local after, said, agents = before, string.sub(ARGV[FROM + 1], column, column), ARGV[FROM + 2]
local says = said ~= '-' and not (stated and occurred - stated < 0)
local is_agent_there = false
if agents == (says and MUST_BE_GONE or END_WRAP_UP) and (says or before == WRAPPING_UP) then
  local members = call('HGETALL', SESSION)
  for i = 1, #members, 2 do
    if not changed[members[i]] then changed[members[i]] = members[i + 1] end
  end
  for name, value in pairs(changed) do
    if string.sub(name, 1, 8) == 'm:agent:' and string.find(value, '^%-?%d+:1:') then is_agent_there = true end
  end
  if is_agent_there and not says then after = WITH_AGENT end
end
if says and not is_agent_there then
  sets[#sets + 1], sets[#sets + 2] = 'state@', occurred
  after = said
end
if after ~= before then
  local last = #sets
  sets[last + 1], sets[last + 2], sets[last + 3], sets[last + 4] = 'state', after, 'since', occurred
end
