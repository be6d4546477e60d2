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
-- (states), `passage` (words for the end of the answer: what `conversation::contact::Passage` tells; empty where it
-- tells nothing) and `is_over` (whether the contact ended).
local QUEUED, WITH_AGENT, WRAPPING_UP, IDLE = '2', '3', '4', '6'
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
local responds = false
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
    if name == 'responded_ms' then responds = true end
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

-- What a contact centre measures of a contact. Most events say nothing of it.
local passage, is_over = '', false
if after ~= before or responds then
  local contact = call('HMGET', SESSION, 'since', 'contact_queued_ms', 'contact_joined_ms', 'contact_responded_ms')
  local is_response = responds and after ~= IDLE and not contact[4]
  if after ~= before or is_response then
    passage = ' ' .. before .. ' ' .. (contact[1] or '-') .. ' ' .. (contact[2] or '-') .. ' ' .. (contact[3] or '-')
      .. (is_response and ' 1' or ' 0')
    is_over = after == IDLE
    local last = #sets
    if after == QUEUED and not contact[2] then
      sets[last + 1], sets[last + 2] = 'contact_queued_ms', occurred
      last = last + 2
    elseif after == WITH_AGENT and not contact[3] then
      sets[last + 1], sets[last + 2] = 'contact_joined_ms', occurred
      last = last + 2
    end
    if is_response then sets[last + 1], sets[last + 2] = 'contact_responded_ms', occurred end
  end
end
